"""``mpe doctor``: what is wrong with an account, before the stack is deployed there and after."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.diagnosis import Verdict, diagnose

COLUMNS = {"check": "CHECK", "verdict": "VERDICT", "told": "FOUND", "remedy": "WHAT TO DO"}


@click.command()
@in_account
@OUTPUT
@click.pass_context
def doctor(context: click.Context, account: Account, output: str) -> None:
    """Look at an account and the stack in it, and tell what is wrong; nothing is changed.

    Before deploying: credentials, region, bootstrap, quotas and room for log deliveries.
    Afterwards also the stack, its mails, its functions, and by IAM's own simulation what Amazon
    Personalize may do in the bucket. What cannot be asked is told as not tried. The exit code is 1
    where something is wrong.

    Example: mpe doctor --region us-east-1
    """
    found = [asdict(one) for one in diagnose(account)]
    show(found, output, COLUMNS)
    verdicts = Counter(one["verdict"] for one in found)
    if output != "json":
        click.echo(", ".join(f"{verdicts[one]} {one}" for one in Verdict))
    context.exit(1 if verdicts[Verdict.WRONG] else 0)
