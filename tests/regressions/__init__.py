"""Defects that other programs have had, each a story that ours must tell differently."""
