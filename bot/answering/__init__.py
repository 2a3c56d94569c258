"""The answering room: a question in, an allowed and grounded answer out, or a person called."""
