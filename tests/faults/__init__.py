"""The fault campaign of whole lives in virtual time: kinds of faults that no single call has."""
