"""Small changes of the code, and which test notices each (``tests/mutants.py``)."""
