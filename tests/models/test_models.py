"""Spin searches every schedule of a model: of ours finds no fault, of what else one might think of
it finds one.
"""

import os
import shutil
import subprocess
import pathlib

import pytest

MODELS = pathlib.Path(__file__).parent
DEEP = bool(os.environ.get("P2PCHAT_DEEP"))

pytestmark = pytest.mark.skipif(not (shutil.which("spin") and shutil.which("gcc")),
                                reason="needs spin and gcc")

SOUND = [
    ("reach", "LINKS=2"),
    ("reach", "LINKS=4"),
    ("reach", "LINKS=4 MIXED=1"),
    ("reach", "LINKS=3 LOSSES=1"),
    ("reach", "LINKS=3 PEOPLE=1"),
    ("reach", "LINKS=3 CRASHES=1"),
    ("deliver", "MESSAGES=5 SENDER_RESTORES=0"),
    ("deliver", "MESSAGES=4 SENDER_RESTORES=2"),
    ("deliver", "MESSAGES=4 SENDER_RESTORES=0 RECEIVER_RESTORES=2"),
    ("deliver", "MESSAGES=4 SENDER_RESTORES=2 RECEIVER_RESTORES=1"),
    ("deliver", "MESSAGES=4 SENDER_RESTORES=0 POISON=1"),
    ("deliver", "MESSAGES=4 SENDER_RESTORES=0 POISON=3"),
    ("deliver", "MESSAGES=3 SENDER_RESTORES=1 RECEIVER_RESTORES=1 POISON=2"),
    ("marks", "MESSAGES=3 ENDS=1 CRASHES=2"),
    ("lanes", "BREAKS=2"),
    ("lanes", "BREAKS=2 CANCEL=1"),
    ("lanes", "N=1 BREAKS=1 TIME=4"),
    ("ask", "RESTORES=0"),
    ("ask", "RESTORES=1"),
    ("quantum", "EPOCHS=3 THEFTS=2"),
]

SOUND_DEEP = [
    ("reach", "LINKS=3 LOSSES=2"),
    ("reach", "LINKS=3 PEOPLE=1 LOSSES=1"),
    ("reach", "LINKS=3 CRASHES=1 LOSSES=1"),
    ("deliver", "MESSAGES=6 SENDER_RESTORES=1 RECEIVER_RESTORES=1"),
    ("deliver", "MESSAGES=5 SENDER_RESTORES=2 RECEIVER_RESTORES=2"),
    ("marks", "MESSAGES=4 ENDS=2 CRASHES=2"),
    ("lanes", "N=3 BREAKS=3 CANCEL=1"),
    ("lanes", "N=1 BREAKS=1 TIME=6"),
    ("lanes", "N=2 BREAKS=1 TIME=6 CANCEL=1"),
    ("quantum", "EPOCHS=5 THEFTS=4"),
]

# What goes wrong, as the assertion that says so.
NONE_IS_LEFT = "links==1"
TWO_STAY = "links<=1"
DIRECT_WAS_REFUSED = "direct[stays]"
NONE_AFTER_A_LOSS = "renewed"
LOST = "times[id]>=1"
TWICE = "times[id]==1"
OUT_OF_ORDER = "id>newest"
WRONG_STATE = "==state[i]"
WRONG_PLACE = "n==m"
WRONG_PREVIOUS = "m==previous[n]"
GIVEN_UP = "id==poison"
ENDS_DIFFER = "given_up||"
GAP = "value==delivered"
RUNS_TWICE = "runs<=1"
TWO_ANSWERS = "answers<=1"
RAN_AFTER_ALL = "runs==0"
STATE_OF_THE_OTHER = "state[me]!="
READ_LATER = "exposed[i]"

MUTANTS = [
    ("reach", "RULE=NEWEST", NONE_IS_LEFT),
    ("reach", "RULE=OLDEST", DIRECT_WAS_REFUSED),
    ("reach", "RULE=OWN_DIAL", NONE_IS_LEFT),
    ("reach", "RULE=KEEP_BOTH", TWO_STAY),
    ("reach", "RULE=NO_CLASS", DIRECT_WAS_REFUSED),
    ("reach", "RULE=JOINER_KNOWS", NONE_IS_LEFT),
    ("reach", "RULE=CLASS_CHANGES", NONE_IS_LEFT),
    ("reach", "RULE=ANY_GONE", NONE_IS_LEFT),
    ("reach", "RULE=TWO_AT_ONCE", NONE_IS_LEFT),
    ("reach", "RULE=NEVER_GONE LOSSES=1", NONE_AFTER_A_LOSS),
    ("reach", "RULE=LAST_ONLY LOSSES=1", NONE_AFTER_A_LOSS),
    ("reach", "RULE=LIVE_PROMOTION PEOPLE=1", NONE_IS_LEFT),
    ("deliver", "DESIGN=SEQUENCE_NUMBERS SENDER_RESTORES=1", LOST),
    ("deliver", "DESIGN=NO_REPETITION SENDER_RESTORES=0", TWICE),
    ("deliver", "DESIGN=EARLY_ACKNOWLEDGE SENDER_RESTORES=0", LOST),
    ("deliver", "DESIGN=FIRE_AND_FORGET SENDER_RESTORES=0", LOST),
    ("deliver", "DESIGN=UNORDERED_RESEND SENDER_RESTORES=0", OUT_OF_ORDER),
    ("marks", "DESIGN=STRAY_MOVES_MARK CRASHES=0", WRONG_STATE),
    ("marks", "DESIGN=NO_FREEZE_TO_DRAW CRASHES=0 ENDS=0", WRONG_PLACE),
    ("marks", "DESIGN=NO_FREEZE_TO_END CRASHES=0", WRONG_PREVIOUS),
    ("marks", "DESIGN=BASE_OF_DELIVERED CRASHES=1 ENDS=0", WRONG_PREVIOUS),
    ("marks", "DESIGN=BASE_OF_ORDINARY CRASHES=0 ENDS=0", WRONG_PREVIOUS),
    ("deliver", "DESIGN=BLAME_ANY_END SENDER_RESTORES=0", GIVEN_UP),
    ("deliver", "DESIGN=BLAME_IN_A_CROWD SENDER_RESTORES=0 POISON=2", GIVEN_UP),
    ("ask", "DESIGN=GIVES_BEFORE_CLAIM RESTORES=0", RAN_AFTER_ALL),
    ("ask", "DESIGN=RUNS_COPIES", RUNS_TWICE),
    ("ask", "DESIGN=LATE_ANSWER_WINS RESTORES=0", TWO_ANSWERS),
    ("ask", "DESIGN=TRUSTS_OLD_REQUESTS", RUNS_TWICE),
    ("ask", "DESIGN=INHERITS_CLAIMS RESTORES=0", RUNS_TWICE),
    ("lanes", "DESIGN=FORGETS_THE_END", ENDS_DIFFER),
    ("lanes", "N=1 BREAKS=1 TIME=6 MEMORY=2", ENDS_DIFFER),
    ("lanes", "DESIGN=GOES_ON", GAP),
    ("lanes", "DESIGN=SAYS_FIN_ONCE", ENDS_DIFFER),
    ("lanes", "DESIGN=TAKES_BACK_ALL CANCEL=1", STATE_OF_THE_OTHER),
    ("lanes", "DESIGN=OPENS_AGAIN", STATE_OF_THE_OTHER),
    ("lanes", "DESIGN=ENDS_BY_DONE", ENDS_DIFFER),
    ("quantum", "DESIGN=SUITE_1", READ_LATER),
    ("quantum", "DESIGN=REKEYS_WITHOUT", READ_LATER),
    ("quantum", "DESIGN=REPLACES_X25519", READ_LATER),
    ("quantum", "DESIGN=FORGETS_TO_WIPE", READ_LATER),
    ("quantum", "DESIGN=SIGNS_NO_KEY", READ_LATER),
    ("quantum", "DESIGN=SIGNS_NO_OFFER", READ_LATER),
    ("quantum", "DESIGN=KEEPS_CHAIN", READ_LATER),
    ("quantum", "BREAKS=2", READ_LATER),
]


def search(folder, model, bounds):
    """Runs the whole search and returns what the verifier says."""
    defines = [f"-D{bound}" for bound in bounds.split()]
    made = subprocess.run(["spin", "-a", *defines, MODELS / f"{model}.pml"], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0 and "Error" not in made.stdout, made.stdout
    subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-o", "pan", "pan.c"], cwd=folder, check=True)
    # -b: a search that does not reach its bottom is a fault too.
    return subprocess.run(["./pan", "-m100000", "-b"], cwd=folder, text=True,
                          capture_output=True).stdout


@pytest.mark.parametrize("model, bounds", SOUND + (SOUND_DEEP if DEEP else []))
def test_no_schedule_breaks(tmp_path, model, bounds):
    said = search(tmp_path, model, bounds)
    assert "errors: 0" in said, said
    assert "Full statespace search" in said, said


@pytest.mark.parametrize("model, bounds, assertion", MUTANTS)
def test_some_schedule_breaks_the_mutant(tmp_path, model, bounds, assertion):
    said = search(tmp_path, model, bounds)
    assert "assertion violated" in said and assertion in said, said


def test_numbers_alone_are_harmless_without_backups(tmp_path):
    """The mutant fails for the reason that is given, and for no other."""
    said = search(tmp_path, "deliver", "DESIGN=SEQUENCE_NUMBERS SENDER_RESTORES=0")
    assert "errors: 0" in said, said
