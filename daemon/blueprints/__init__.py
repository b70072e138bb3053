"""What tasks are: the contract that task authors extend, and the blueprints `static` and `mock`."""
