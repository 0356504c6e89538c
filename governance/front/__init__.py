"""The HTTP/1.1 server in front of the WSGI application: no thread of it ever waits for a client (docs/decisions/0022).

One loop reads requests until they are whole and writes answers as clients take them; only a whole request is given to
a thread. Every limit is a constant of ``limits``. Only ``django_thread`` knows Django.
"""
