"""How the routers of a run come to be: the contract, and the architects `local`, `remote` and `mock`."""
