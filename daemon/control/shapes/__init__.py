"""What the control API takes and answers, as typed dictionaries. Its OpenAPI document is made of them."""
