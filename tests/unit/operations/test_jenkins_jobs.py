"""The table of jobs, and the scripts in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoctrl.errors import SettingsError, WorkflowError
from autoctrl.operations.jenkins.jobs import (
    Folder,
    FromRepository,
    Inline,
    Job,
    Mirror,
    list_items,
)
from autoctrl.operations.jenkins.pipelines import quote
from tests.unit.operations.jenkins_items import HOME, MIRROR, REPOSITORY, items_of, settings_of


def script_of(text: str, name: str) -> str:
    """Return the script of a job."""
    job = items_of(text)[name]
    assert isinstance(job, Job)
    assert isinstance(job.pipeline, Inline)
    return job.pipeline.script


def test_where_the_project_is_deployed_every_job_runs_there() -> None:
    """With a home there are folder, discovery, deployment, watch and a cycle for each workflow."""
    items = items_of(HOME, "reco", "plots")
    assert [*items] == [
        "autoctrl",
        "autoctrl/discover",
        "autoctrl/deploy",
        "autoctrl/watch",
        "autoctrl/cycle-reco",
        "autoctrl/cycle-plots",
    ]
    jobs = [item for item in items.values() if isinstance(item, Job)]
    assert all(isinstance(job.pipeline, Inline) for job in jobs)
    assert [job.cron for job in jobs] == ["H * * * *", "", "H/10 * * * *", "H * * * *", "H * * * *"]
    assert isinstance(items["autoctrl"], Folder)


def test_without_a_home_cycles_take_the_jenkinsfile_beside_the_handler() -> None:
    """Without a home there are cycles alone, checked out at the reference."""
    items = items_of(REPOSITORY)
    assert [*items] == ["autoctrl", "autoctrl/cycle-reco"]
    job = items["autoctrl/cycle-reco"]
    assert isinstance(job, Job)
    assert job.pipeline == FromRepository(
        "https://git.example.org/camera.git",
        "refs/tags/prod-7",
        "deploy-key",
        "workflows/reco/Jenkinsfile",
    )


def test_a_workflow_has_its_own_time_and_may_be_switched_off() -> None:
    """The cron of a workflow goes before the general one; without cycles its job is disabled."""
    own = '[workflows.reco]\ncron = "@daily"\n[workflows.plots]\nenabled = false\n'
    items = items_of(HOME + own, "reco", "plots")
    reco, plots = items["autoctrl/cycle-reco"], items["autoctrl/cycle-plots"]
    assert isinstance(reco, Job)
    assert isinstance(plots, Job)
    assert (reco.cron, reco.is_disabled) == ("@daily", False)
    assert (plots.cron, plots.is_disabled) == ("H * * * *", True)
    assert [reco.gist, plots.gist] == ["pipeline, @daily", "pipeline, disabled"]
    assert items["autoctrl"].gist == "folder"
    assert items["autoctrl/deploy"].gist == "pipeline, by hand"


def test_the_mirror_lies_beside_the_folder() -> None:
    """Branches are tried outside of the folder, whose credentials they could use otherwise."""
    mirror = items_of(HOME + MIRROR)["autoctrl-mirror"]
    assert isinstance(mirror, Mirror)
    assert mirror.branches == "try/.*"
    assert mirror.gist == "multibranch, branches try/.*"
    assert isinstance(
        items_of(REPOSITORY + 'mirror_branches = "try/.*"')["autoctrl-mirror"], Mirror
    )


def test_a_cycle_runs_the_handler_script_and_shows_its_tasks() -> None:
    """The handler in the deployed folder is the program; what it says is shown as tests."""
    script = script_of(HOME, "autoctrl/cycle-reco")
    assert script == (
        "pipeline {\n"
        "    agent { label 'autoctrl' }\n"
        "    options {\n"
        "        timeout(time: 21600, unit: 'SECONDS')\n"
        "    }\n"
        "    environment {\n"
        "        PYTHONUNBUFFERED = '1'\n"
        "        AUTOCTRL_HOME = '/srv/camera/current'\n"
        "    }\n"
        "    stages {\n"
        "        stage('reco') {\n"
        "            steps {\n"
        "                script {\n"
        "                    def code = sh(returnStatus: true, script: 'rm -f cycle-reco.xml "
        '&& exec "$AUTOCTRL_HOME/workflows/reco/handler.py" --junit '
        '"$WORKSPACE/cycle-reco.xml"\')\n'
        "                    if (code == 1) { unstable('A task failed for good in this cycle.') }\n"
        "                    if (code > 1) { error('The cycle could not work, or could not be "
        "started: exit code ' + code) }\n"
        "                }\n"
        "            }\n"
        "        }\n"
        "    }\n"
        "    post {\n"
        "        always {\n"
        "            junit testResults: 'cycle-reco.xml', allowEmptyResults: true\n"
        "        }\n"
        "    }\n"
        "}\n"
    )


def test_what_a_build_is_given_reaches_the_shell_as_a_variable() -> None:
    """No script has a text in double quotes, which Groovy would fill in."""
    for name in ("discover", "deploy", "watch", "cycle-reco"):
        script = script_of(HOME, f"autoctrl/{name}")
        assert all("'" in line[: line.index('"')] for line in script.splitlines() if '"' in line)
        assert "params." not in script
    assert 'autoctrl deploy -- "$ENVIRONMENT" ${REF:+"$REF"}' in script_of(HOME, "autoctrl/deploy")


def test_agent_path_and_environment_stand_in_the_script() -> None:
    """Label, further folders of the PATH and the environment of the settings are handed over."""
    text = HOME + 'agent = "cern && el9"\npath = "/opt/autoctrl/bin"'
    found = list_items(replace(settings_of(text), environment="test"), [])[1]
    assert isinstance(found, Job)
    assert isinstance(found.pipeline, Inline)
    script = found.pipeline.script
    assert "agent { label 'cern && el9' }" in script
    assert 'export PATH="/opt/autoctrl/bin:$PATH" && cd "$AUTOCTRL_HOME"' in script
    assert "AUTOCTRL_ENVIRONMENT = 'test'" in script
    anywhere = items_of(HOME + 'agent = ""')["autoctrl/watch"]
    assert isinstance(anywhere, Job)
    assert isinstance(anywhere.pipeline, Inline)
    assert "    agent any\n" in anywhere.pipeline.script


def test_groovy_replaces_nothing_in_a_quoted_text() -> None:
    """Quotes, backslashes and new lines are escaped."""
    assert quote("it's \\ $HOME\n") == "'it\\'s \\\\ $HOME\\n'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[jenkins]\nurl = "https://j"', "neither home nor repository"),
        ('[jenkins]\nurl = "jenkins:8080"', "[jenkins] url = 'jenkins:8080'"),
        (HOME + 'folder = "a/../b"', "[jenkins] folder"),
        (HOME + 'folder = ""', "[jenkins] folder"),
        (HOME + 'agent = "it\'s"', "[jenkins] agent"),
        (HOME + 'path = "/opt/$X"', "[jenkins] path"),
        (HOME.replace("/srv", "srv"), "[jenkins] home"),
        (REPOSITORY.replace("refs/tags/prod-7", "main"), "Write refs/heads/NAME"),
        (HOME + 'repository = "--upload-pack=x"', "[jenkins] repository"),
        (HOME + 'mirror_repository = "a b"', "[jenkins] mirror_repository"),
        (HOME + 'cron = "hourly"', "[jenkins] cron = 'hourly'"),
        (HOME + 'watch_cron = "H/99 * * * *"', "No minute of 0-59 can step by 99"),
        (HOME + '[workflows.reco]\ncron = "9"', "[workflows.reco] cron"),
        (HOME + 'mirror_branches = "("', "[jenkins] mirror_branches"),
        (HOME + 'mirror_branches = "x"', "mirror_branches is given without a repository"),
    ],
)
def test_settings_that_jenkins_or_a_shell_would_take_otherwise_are_refused(
    text: str, words: str
) -> None:
    """Each such value is named, with what to write."""
    with pytest.raises(SettingsError) as caught:
        items_of(text)
    assert words in str(caught.value)
    assert caught.value.hint


def test_an_environment_that_no_script_can_hold_is_refused() -> None:
    """The name of an environment is written into scripts, so it is plain."""
    with pytest.raises(SettingsError, match="Call it by letters"):
        list_items(replace(settings_of(), environment="it's"), [])


def test_a_folder_that_is_no_workflow_is_refused() -> None:
    """A job's name is made of the folder's, so it is one that Jenkins and a shell take."""
    with pytest.raises(WorkflowError, match=r"workflows/My Reco cannot have a job"):
        items_of(HOME, "My Reco")
