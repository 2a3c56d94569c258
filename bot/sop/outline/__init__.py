"""A plan as people write it in Word or as text, read into a draft of a script."""
