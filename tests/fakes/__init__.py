"""Strict fakes of the services that autoctrl talks to; they import nothing of autoctrl."""
