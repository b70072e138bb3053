"""The checker's rules, one module each. Every rule is a generator of violations over a `Case`."""
