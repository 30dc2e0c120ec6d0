"""What a page tells its readers to do with a token, with the key from PyJWKClient."""

import json
import os
import socket
import ssl

import jwt

# The page's host names are at the Cardea under test.
address, port = os.environ["TLS"].split(":")
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, service, *more, **named: look_up(address, int(port), *more, **named)
trust = ssl.create_default_context(cafile=os.environ["CA"])

token = os.environ["TOKEN"]
jwks = jwt.PyJWKClient("https://auth.cohera.io/.well-known/jwks.json", ssl_context=trust)
decoded = jwt.decode(
    token,
    jwks.get_signing_key_from_jwt(token).key,
    algorithms=["RS256"],
    audience="https://api.cohera.io",
    issuer="https://auth.cohera.io",
)
print(json.dumps(decoded))
