"""The sentences about Jenkins: what an answer means, and how a job stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from autoctrl.errors import SettingsError, UsageError
from autoctrl.operations.jenkins.failure import Asked, Failure, read_words, refused, shorten
from autoctrl.operations.jenkins.jobs import Job
from autoctrl.operations.jenkins.place import item_path
from autoctrl.operations.jenkins.status import read_node, read_state
from autoctrl.operations.jenkins.syncing import name_project
from autoctrl.operations.jenkins.triggering import complete_parameters
from tests.unit.operations.jenkins_items import HOME, MIRROR, items_of, settings_of

ASKED = Asked("https://jenkins", "robot", "autoctrl/watch")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(0, "Connection refused"), "gave no answer about autoctrl/watch: Connection"),
        (Failure(0, "certificate refused: self-signed"), "REQUESTS_CA_BUNDLE"),
        (Failure(200, "a page of HTML"), "a single sign-on or another server stands there: a page"),
        (Failure(302), "does not take builds of autoctrl/watch now. It is shutting down"),
        (Failure(400, "A job already exists"), "refuses autoctrl/watch: 400, A job already exists"),
        (Failure(401, "Unauthorized"), "does not know the user 'robot' with this token: 401"),
        (Failure(403, "Job/Build is missing"), "to give 'robot' the permission Job/Build."),
        (Failure(403, ""), "403. Ask its administrator for the permission."),
        (Failure(404), "has no autoctrl/watch, or does not show it to 'robot': 404."),
        (Failure(405), "does not do that with autoctrl/watch: 405."),
        (Failure(409, "not buildable"), "autoctrl/watch is disabled, or its folder is: 409"),
        (Failure(500, "oops"), "failed at autoctrl/watch: 500, oops."),
        (Failure(502), "or a proxy before it is at fault, at autoctrl/watch: 502."),
        (Failure(503, "getting ready", "10"), "Ask again in 10 s."),
        (Failure(503), "is starting, or too busy for autoctrl/watch: 503. Ask again in a minute."),
    ],
)
def test_each_failure_is_a_sentence(failure: Failure, words: str) -> None:
    """What went wrong, with what, and what to do."""
    error = refused(ASKED, failure)
    assert words in str(error)
    assert error.message.startswith("Jenkins at https://jenkins ")
    assert error.hint
    assert error.is_passing == (failure.status in {0, 502, 503})


def test_what_an_answer_says_is_put_on_a_line() -> None:
    """Tags go, a permission is found, the header of Jenkins goes before the page."""
    page = "<html><head><title>x</title></head><body><p>robot is missing the Job/Read permission"
    assert read_words(403, page, "", "secret") == "Job/Read is missing"
    assert read_words(403, "<b>no</b>", "", "secret") == "no"
    assert read_words(400, page, "A job already exists", "secret") == "A job already exists"


def test_no_token_is_told() -> None:
    """A token in an answer is taken out, and what is long is cut."""
    assert shorten("with 11aa\nin it.", "11aa") == "with (redacted) in it"
    assert len(shorten("x" * 1000, "")) == 201


def test_names_become_paths() -> None:
    """Folders are spelled out, and what an address cannot hold is escaped."""
    assert item_path("group/my camera/watch") == "job/group/job/my%20camera/job/watch/"
    assert item_path("") == ""


def test_a_job_stands_as_its_newest_ended_build() -> None:
    """Result, start and address are those of the newest build that has ended."""
    item = items_of(HOME)["autoctrl/watch"]
    job = {
        "buildable": True,
        "inQueue": True,
        "queueItem": {"why": "Build #8 is already in progress"},
        "lastBuild": {"number": 8, "building": True},
        "lastCompletedBuild": {
            "number": 7,
            "result": "FAILURE",
            "timestamp": 1_700_000_000_000,
            "url": "https://jenkins/7/",
        },
    }
    state = read_state(item, job, "https://jenkins/")
    assert (state.result, state.address) == ("FAILURE", "https://jenkins/7/")
    assert state.when == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert state.now == "#8 runs; Build #8 is already in progress"
    assert not state.is_well


def test_a_job_may_be_missing_new_or_disabled() -> None:
    """Without the job, and without a build, that is said."""
    items = items_of(HOME + MIRROR)
    missing = read_state(items["autoctrl/watch"], None, "a")
    assert (missing.result, missing.cron, missing.is_well) == ("missing", "H/10 * * * *", False)
    new = read_state(items["autoctrl-mirror"], {"buildable": False}, "a")
    assert (new.result, new.when, new.now, new.cron) == ("", None, "disabled", "")
    assert new.is_well


def test_a_node_says_why_it_is_offline() -> None:
    """What Jenkins says of a node is put on a line; it need not say anything."""
    node = {"displayName": "cern", "offlineCauseReason": "Ping\nfailed"}
    assert read_node(node) == ("cern", "Ping failed")
    assert read_node({"displayName": "cern"}).reason == "Jenkins does not say why"


def test_a_build_is_given_all_parameters_of_its_job() -> None:
    """What is not given takes its default; what Jenkins would ignore or miss is refused."""
    deploy = items_of(HOME)["autoctrl/deploy"]
    assert isinstance(deploy, Job)
    complete = complete_parameters(deploy, {"ENVIRONMENT": "mirror"})
    assert complete == {"ENVIRONMENT": "mirror", "REF": ""}
    for given, words in (
        ({"ENVIRON": "mirror"}, "Did you mean 'ENVIRONMENT'"),
        ({"REF": "main"}, "needs the parameter ENVIRONMENT"),
        ({"ENVIRONMENT": "mirror", "REF": "a\nb"}, "cannot be printed"),
    ):
        with pytest.raises(UsageError, match=words):
            complete_parameters(deploy, given)


def test_a_project_without_a_name_has_no_mark() -> None:
    """The mark is made of name and environment, never of a folder that is another elsewhere."""
    settings = settings_of()
    assert name_project(settings) == "camera"
    assert name_project(replace(settings, environment="mirror")) == "camera/mirror"
    nameless = replace(settings, project=replace(settings.project, name=""))
    with pytest.raises(SettingsError, match="the project has no name"):
        name_project(nameless)
    for name in ("camera\x07", "cam\rera", "two\nlines"):
        strange = replace(settings, project=replace(settings.project, name=name))
        with pytest.raises(SettingsError, match="cannot be shown by Jenkins"):
            name_project(strange)
