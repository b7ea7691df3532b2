"""`opensip hash-password`: the hashes that a trunk's file keeps in place of a password."""

import sys

import click

from opensip.sip.digest import Ha1


@click.command("hash-password")
@click.argument("user")
@click.option("--realm", default="opensip", show_default=True, help="As `sip.realm` says.")
def command(user: str, realm: str) -> None:
    """Print the digest hashes of a password for a trunk's file.

    The password is asked for, or read from standard input where that is no terminal.

    Example: opensip hash-password alice >> config/trunks/office.toml
    """
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("the password is empty")
    click.echo(user_table(user, Ha1.of(user, realm, password)), nl=False)


def user_table(user: str, ha1: Ha1) -> str:
    """Write the TOML table of one user of a trunk."""
    return f'[users."{user}"]\nmd5 = "{ha1.md5}"\nsha256 = "{ha1.sha256}"\n'
