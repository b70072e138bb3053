"""Every SQL text, by name, for every database: the schema in steps, and the statements. Executes nothing."""
