"""The knowledge room: files to documents, documents to an index, questions to what answers them."""
