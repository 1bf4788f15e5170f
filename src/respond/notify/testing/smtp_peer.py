"""A mail server for the tests (aiosmtpd): prints its port, then one JSON line for each mail it took.

Arguments: plain | starttls CERT KEY | auth CERT KEY. The recipient's local part decides what happens: busy (451 after
the text), refuse (550 at once), vanish (the connection is cut after the text, without an answer).
The mail is read back with Python's own parser, so that encoding and folding are judged by another program.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse@"):
            return "550 no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        first = envelope.rcpt_tos[0]
        if first.startswith("busy@"):
            return "451 try again later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": (session.auth_data or b"").decode() if session.authenticated else "",
            "headers": [[name, str(value)] for name, value in mail.items()],
            "defects": [str(d) for d in mail.defects],
            "body": mail.get_content(),
            "longest_line": max(len(line) for line in envelope.content.split(b"\r\n")),
            "ascii": envelope.content.isascii(),
        }), flush=True)
        if first.startswith("vanish@"):
            server.transport.abort()
            await asyncio.sleep(3600)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    good = data.login == b"tocsin" and data.password == b"pass word"
    return AuthResult(success=good, handled=good, auth_data=data.login)


async def main():
    mode = sys.argv[1]
    options = {}
    if mode != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        options = {"tls_context": context, "require_starttls": True}
    if mode == "auth":
        options.update(auth_required=True, authenticator=authenticator)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="peer.test", loop=loop, **options),
                                      "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the test ends


try:
    asyncio.run(main())
finally:
    sys.stdout.close()
    sys.stderr.close()
    import os
    os._exit(0)
