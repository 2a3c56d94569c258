"""Adapters to models: embedders, vector stores and chat models, each behind its port."""
