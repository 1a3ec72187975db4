"""The config.xml of the fake of Jenkins: what it takes, what it refuses, and what it gives back."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from tests.contract.fakes.jenkins_scene import (
    FOLDER,
    NO_RESUME,
    ONE_AT_A_TIME,
    PROJECT,
    PROPERTIES,
    XML,
    Person,
    choice,
    parameter,
    parameters,
    pipeline,
    timer,
)
from tests.fakes.jenkins import Jenkins, Site

DISCARDER = (
    '<jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator">{}'
    "</strategy></jenkins.model.BuildDiscarderProperty>"
)
SCM_JOB = """<flow-definition><definition
 class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"><scm
 class="hudson.plugins.git.GitSCM"><userRemoteConfigs><hudson.plugins.git.UserRemoteConfig>
<url>https://example.org/x.git</url><credentialsId>git</credentialsId>
</hudson.plugins.git.UserRemoteConfig></userRemoteConfigs><branches><hudson.plugins.git.BranchSpec>
<name>refs/tags/prod-7</name></hudson.plugins.git.BranchSpec></branches><extensions/></scm>
<scriptPath>workflows/x/Jenkinsfile</scriptPath><lightweight>true</lightweight></definition>
</flow-definition>"""
MULTIBRANCH = f"""<{PROJECT}>
<orphanedItemStrategy
 class="com.cloudbees.hudson.plugins.folder.computed.DefaultOrphanedItemStrategy">
<pruneDeadBranches>true</pruneDeadBranches></orphanedItemStrategy>
<triggers><com.cloudbees.hudson.plugins.folder.computed.PeriodicFolderTrigger>
<interval>{{interval}}</interval></com.cloudbees.hudson.plugins.folder.computed.PeriodicFolderTrigger>
</triggers><sources class="jenkins.branch.MultiBranchProject$BranchSourceList"><data>
<jenkins.branch.BranchSource><source class="jenkins.plugins.git.GitSCMSource"><id>x</id>
<remote>https://example.org/x.git</remote><traits>
<jenkins.plugins.git.traits.BranchDiscoveryTrait/>
<jenkins.scm.impl.trait.RegexSCMHeadFilterTrait><regex>main</regex>
</jenkins.scm.impl.trait.RegexSCMHeadFilterTrait></traits></source></jenkins.branch.BranchSource>
</data></sources><factory
 class="org.jenkinsci.plugins.workflow.multibranch.WorkflowBranchProjectFactory">
<scriptPath>workflows/x/Jenkinsfile</scriptPath></factory></{PROJECT}>"""
WHOLE = pipeline(
    timer("H * * * *")
    + ONE_AT_A_TIME
    + NO_RESUME
    + DISCARDER.format("<numToKeep>50</numToKeep>")
    + parameters(
        parameter("String", "RUN", "7"),
        parameter("Boolean", "DRY", "true"),
        parameter("Text", "NOTE"),
        choice("MODE", "fast", "slow"),
    ),
    "<description>one</description><displayName>One</displayName><quietPeriod>3</quietPeriod>",
)
KNOWN = {
    "a whole job": WHOLE,
    "a job from git": SCM_JOB,
    "a job without a definition": "<flow-definition/>",
    "a folder": FOLDER.replace("/>", "><description>d</description><folderViews/></{}>").format(
        FOLDER[1:-2]
    ),
    "a multibranch project": MULTIBRANCH.format(interval=86_400_000),
}


@pytest.mark.parametrize("config", KNOWN.values(), ids=KNOWN)
def test_what_is_given_back_is_taken_back(ada: Person, config: str) -> None:
    """What the server gives is not what was sent, but the same again after it was sent back."""
    assert ada.create("b", config).status == 200
    given = ada.get("/job/b/config.xml")
    assert given.headers["Content-Type"] == "application/xml"
    assert given.body.startswith(b"<?xml version='1.1' encoding='UTF-8'?>\n")
    assert given.body.decode() != config
    assert ada.post("/job/b/config.xml", given.body.decode(), XML).status == 200
    assert ada.get("/job/b/config.xml").body == given.body


def test_defaults_are_added_and_the_order_is_the_servers(ada: Person) -> None:
    """Defaults and the plugins' versions are added, what is empty goes, properties are sorted."""
    ada.create("b", WHOLE.replace("<sandbox>", "<!-- a remark --><sandbox>"))
    root = fromstring(ada.get("/job/b/config.xml").body)  # noqa: S314 - of the fake itself
    assert root.get("plugin") == "workflow-job@7"
    names = [one.tag for one in root]
    assert names == [
        *("description", "displayName", "keepDependencies", "properties", "definition"),
        *("quietPeriod", "disabled"),
    ]
    properties = [one.tag for one in root.findall("properties/*")]
    assert properties == sorted(properties)
    assert len(properties) == 5
    rotator = root.find("properties/jenkins.model.BuildDiscarderProperty/strategy")
    assert rotator is not None
    kept = {one.tag: one.text for one in rotator}
    assert (kept["numToKeep"], kept["daysToKeep"], kept["artifactNumToKeep"]) == ("50", "-1", "-1")
    assert root.find(f"properties/{PROPERTIES}.DisableResumeJobProperty") is not None
    assert root.findtext("properties//abortPrevious") == "false"


def test_old_forms_are_moved(ada: Person) -> None:
    """``concurrentBuild`` and top-level triggers become properties."""
    timer_trigger = "hudson.triggers.TimerTrigger"
    trigger = f"<triggers><{timer_trigger}><spec>@daily</spec></{timer_trigger}></triggers>"
    ada.create("b", pipeline(more=f"<concurrentBuild>false</concurrentBuild>{trigger}"))
    root = fromstring(ada.get("/job/b/config.xml").body)  # noqa: S314 - of the fake itself
    assert root.find("concurrentBuild") is root.find("triggers") is None
    assert {one.tag.rpartition(".")[2] for one in root.findall("properties/*")} == {
        "DisableConcurrentBuildsJobProperty",
        "PipelineTriggersJobProperty",
    }
    assert ada.get("/job/b/api/json").json["concurrentBuild"] is False
    ada.create("c", pipeline(more="<concurrentBuild>true</concurrentBuild>"))
    assert ada.get("/job/c/api/json").json["concurrentBuild"] is True


@pytest.mark.parametrize(
    ("minutes", "spec"),
    [
        (5, "* * * * *"),
        (30, "H/5 * * * *"),
        (60, "H/15 * * * *"),
        (480, "H/30 * * * *"),
        (481, "H H * * *"),
    ],
)
def test_the_spec_of_a_folder_follows_the_interval(ada: Person, minutes: int, spec: str) -> None:
    """The interval alone says how often a repository is looked at."""
    ada.create("m", MULTIBRANCH.format(interval=minutes * 60_000))
    assert f"<spec>{spec}</spec>" in ada.get("/job/m/config.xml").body.decode()


BAD = {
    "concurentBuild": pipeline(more="<concurentBuild>false</concurentBuild>"),
    "properties/hudson.Nothing": pipeline("<hudson.Nothing/>"),
    "the class 'hudson.Nothing'": pipeline().replace("class=", 'class="hudson.Nothing" x='),
    "the class ''": "<flow-definition><definition/></flow-definition>",
    "'yes' is neither true nor false": pipeline(more="<disabled>yes</disabled>"),
    "'soon' is no number": pipeline(more="<quietPeriod>soon</quietPeriod>"),
    "PasswordParameterDefinition": pipeline(parameters(parameter("Password", "P"))),
    "name: the element is missing": pipeline(parameters(parameter("String", ""))).replace(
        "<name></name>", ""
    ),
    "the element is there twice": pipeline(
        more="<disabled>true</disabled><disabled>true</disabled>"
    ),
    "DisableResumeJobProperty: the element is there twice": pipeline(NO_RESUME * 2),
    "there is text between": pipeline(more="text"),
    "the attribute clas": pipeline().replace("class=", "clas="),
    "its class must be": pipeline(
        parameters(choice("C", "a").replace(' class="string-array"', ""))
    ),
    "the cron line is illegal": pipeline(timer("* * * *")),
    "it must be empty": FOLDER.replace("/>", "><healthMetrics><x/></healthMetrics></{}>").format(
        FOLDER[1:-2]
    ),
    "is no number of ms between": MULTIBRANCH.format(interval=59_999),
    "remote: the element is missing": MULTIBRANCH.format(interval=60_000).replace(
        "<remote>https://example.org/x.git</remote>", ""
    ),
    "script/b: the element is unknown": pipeline(script="<b/>"),
}


@pytest.mark.parametrize(("text", "config"), BAD.items(), ids=BAD)
def test_what_is_unknown_is_refused(
    ada: Person, jenkins_server: Jenkins, text: str, config: str
) -> None:
    """What the real server drops in silence, or takes for something else, fails the test."""
    with jenkins_server.violation(text):
        assert ada.create("b", config).status == 500
    jenkins_server.violations.clear()
    assert ada.get("/job/b/api/json").status == 404


def test_a_lenient_site_is_like_the_real_server() -> None:
    """If the site is lenient an unknown element is dropped, and a bad cron line starts nothing and
    is told in the log alone.
    """
    with Jenkins(Site(is_lenient=True)) as server:
        ada = Person(server.port, "ada", server.add_user("ada").token)
        more = "<concurentBuild>false</concurentBuild>"
        assert ada.create("b", pipeline(timer("MON"), more)).status == 200
        given = ada.get("/job/b/config.xml").body
        assert b"concurent" not in given
        assert b"<spec>MON</spec>" in given
        assert "illegal" in server.log[0]
        server.tick(3600)
        assert server.builds == []
