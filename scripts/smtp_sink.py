#!/usr/bin/env python3
"""A mail server for tests: takes mail over STARTTLS, keeps every message as it came, and refuses on request.

Started by scripts/servers. It makes a certificate authority of its own for this one run and writes, in DIR:

  ca.pem           the authority to trust
  mail/N.eml       a message, its bytes untouched; it appears only when complete
  mail/N.json      its envelope: {"from", "to": [...], "helo", "tls": true}; written before the .eml
  rules            lines "CODE REGEX", read again for every recipient: an address that matches is refused with
                   CODE (450 try later, 550 never). The file is made with two rules: later@… → 450, gone@… → 550.
  ready            appears when the server listens
"""

import argparse
import datetime
import ipaddress
import itertools
import json
import os
import re
import signal
import ssl
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

RULES = "# CODE REGEX, one a line; the first that matches the recipient's address wins.\n450 ^later@\n550 ^gone@\n"
REPLIES = {"450": "450 4.2.0 mailbox busy, try again later", "550": "550 5.1.1 no such mailbox"}


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def make_certificates(folder):
    """Writes ca.pem, cert.pem and key.pem: an authority and a leaf for localhost, both good for two days."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def build(subject, public_key, authority):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("tsunagu test authority"))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
        )
        usage = dict.fromkeys(
            ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
        usage.update({"key_cert_sign": True, "crl_sign": True} if authority else {"digital_signature": True})
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        if not authority:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
        return builder.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(build("tsunagu test authority", ca_key.public_key(), True).public_bytes(pem))
    (folder / "cert.pem").write_bytes(build("localhost", key.public_key(), False).public_bytes(pem))
    key_bytes = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key_bytes)


class Sink:
    def __init__(self, folder):
        self.mail, self.rules = folder / "mail", folder / "rules"
        self.mail.mkdir(exist_ok=True)
        if not self.rules.exists():
            self.rules.write_text(RULES)
        self.numbers = itertools.count(1 + len(list(self.mail.glob("*.eml"))))

    def refusal(self, address):
        for line in self.rules.read_text().splitlines():
            code, _, pattern = line.partition(" ")
            if code in REPLIES and re.search(pattern.strip(), address):
                return REPLIES[code]
        return None

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        refusal = self.refusal(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = f"{next(self.numbers):05d}"
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "helo": session.host_name,
            "tls": session.ssl is not None,
        }
        (self.mail / f"{number}.json").write_text(json.dumps(facts, ensure_ascii=False))
        (self.mail / f"{number}.part").write_bytes(envelope.original_content)
        (self.mail / f"{number}.part").rename(self.mail / f"{number}.eml")
        return f"250 2.0.0 kept as {number}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True, help="folder for certificates, rules and mail")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    make_certificates(options.dir)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.dir / "cert.pem", options.dir / "key.pem")
    controller = Controller(
        Sink(options.dir),
        hostname="127.0.0.1",
        port=options.port,
        server_hostname="localhost",
        tls_context=context,
        require_starttls=True,
        enable_SMTPUTF8=True,
        decode_data=False,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controller.start()
    (options.dir / "ready").touch()
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main()
