"""Where workers come from and are paid: the contract, and the providers `inhouse` and `mock`."""
