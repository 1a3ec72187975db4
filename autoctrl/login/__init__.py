"""Who somebody is: logins by OpenID Connect, sessions, tokens of programs.

What needs the extra ``login`` is imported where it is used; tokens need nothing.
"""
