"""Maintaining Personalized Experiences: operations for Amazon Personalize, automated.

Rooms, and the one way imports go (``tests/test_layers.py`` enforces it)::

    model  <- aws  <- handlers
    model  <- emulator  <- local  -> assembly
    model  <- infrastructure  <- release  -> assembly
    cli on top of all but handlers

and within ``model``, from the bottom up::

    text  <- errors  <- rules  <- service  <- config  <- plan  <- messages
"""
