"""ProVerif looks for any attack there is: on ours it finds none, on two weaker designs it finds one.

A model's claims are its queries. Those of the form `event(…)` alone claim nothing; they ask whether
that point can be reached at all, without which the claims would be empty.
"""

import pathlib
import re
import shutil
import subprocess

import pytest

if not shutil.which("proverif"):
    pytest.skip("needs proverif, which is not in Debian 12 (opam install proverif)",
                allow_module_level=True)

MODELS = pathlib.Path(__file__).parent

SOUND = {
    "auth": "both sides agree on who talks to whom, with which keys",
    "invite": "only a key whose owner used the secret is pinned",
    "fs": "keys stolen later open nothing",
    "ecdh_broken": "RSA alone still protects what is sent",
    "rekey": "session keys that were stolen are worthless after the next rekey",
    "anonH": "somebody who is no pinned peer can't tell which identity listens",
}

MUTANTS = {
    "mut_both": "nothing is left when X25519 is broken and the RSA keys are stolen",
    "mut_nosigT": "a host's signature that does not cover the transcript can be relayed",
}

VERDICT = re.compile(r"^(?:Query|Observational equivalence)(.*?) (is true|is false|cannot be proved)\.",
                     re.MULTILINE)


def verdicts(model):
    """What ProVerif says of each claim, and of each point that must be reached."""
    said = subprocess.run(["proverif", MODELS / f"{model}.pv"], text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600).stdout
    summary = said.partition("Verification summary:")[2]
    results = VERDICT.findall(summary)
    assert results, said
    reached = [verdict == "is false" for query, verdict in results
               if query.startswith(" not event(")]
    claims = [verdict == "is true" for query, verdict in results
              if not query.startswith(" not event(")]
    return claims, reached, summary


@pytest.mark.parametrize("model", SOUND)
def test_there_is_no_attack(model):
    claims, reached, summary = verdicts(model)
    assert claims and all(claims) and all(reached), summary


@pytest.mark.parametrize("model", MUTANTS)
def test_there_is_an_attack_on_a_weaker_design(model):
    claims, _, summary = verdicts(model)
    assert not all(claims), summary
