"""How much one request may name. The API's document says the same, from here."""

LINE_CHARACTERS_MAX = 500  # of a text for people: a reason, a description
NAME_CHARACTERS_MAX = 200  # of a worker or a qualification, as in task.toml
WORKER_WORD_CHARACTERS_MAX = 500  # longer than any PROVIDER:NAME
WORKERS_MAX = 1000  # of one block or grant: all are written together, and a provider is told of each
LINKS_MAX = 10_000  # so many names are about as much as a body holds
REVIEWS_MAX = 200  # each is a transaction of its own; more are asked for in several requests
