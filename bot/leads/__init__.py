"""Leads: noticed, given to one person, watched until somebody answers."""
