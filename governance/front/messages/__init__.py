"""HTTP/1.1 messages: requests as they are read, answers as they are sent. Nothing here knows sockets' events."""
