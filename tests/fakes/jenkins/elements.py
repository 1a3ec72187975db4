"""The elements of a config.xml that the contract knows: jobs, folders, projects, views, secrets."""

from __future__ import annotations

from tests.fakes.jenkins.cron import problem_of
from tests.fakes.jenkins.shapes import (
    Block,
    Classed,
    Ignored,
    Leaf,
    Listing,
    Shape,
    flag,
    integer,
    one_of,
    plain,
)
from tests.fakes.jenkins.state import FOLDER, MULTIBRANCH, PIPELINE

WORKFLOW = "org.jenkinsci.plugins.workflow"
JOB_PROPERTIES = f"{WORKFLOW}.job.properties"
CONCURRENCY = f"{JOB_PROPERTIES}.DisableConcurrentBuildsJobProperty"
RESUME = f"{JOB_PROPERTIES}.DisableResumeJobProperty"
TRIGGERS = f"{JOB_PROPERTIES}.PipelineTriggersJobProperty"
DISCARDER = "jenkins.model.BuildDiscarderProperty"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
ROTATOR = "hudson.tasks.LogRotator"
TIMER = "hudson.triggers.TimerTrigger"
STRING = "hudson.model.StringParameterDefinition"
BOOLEAN = "hudson.model.BooleanParameterDefinition"
CHOICE = "hudson.model.ChoiceParameterDefinition"
TEXT = "hudson.model.TextParameterDefinition"
CPS_SCM = f"{WORKFLOW}.cps.CpsScmFlowDefinition"
CPS = f"{WORKFLOW}.cps.CpsFlowDefinition"
GIT = "hudson.plugins.git.GitSCM"
GIT_SOURCE = "jenkins.plugins.git.GitSCMSource"
BRANCH_TRAIT = "jenkins.plugins.git.traits.BranchDiscoveryTrait"
REGEX_TRAIT = "jenkins.scm.impl.trait.RegexSCMHeadFilterTrait"
PERIODIC = "com.cloudbees.hudson.plugins.folder.computed.PeriodicFolderTrigger"
ORPHANS = "com.cloudbees.hudson.plugins.folder.computed.DefaultOrphanedItemStrategy"
SOURCES = "jenkins.branch.MultiBranchProject$BranchSourceList"
FACTORY = f"{WORKFLOW}.multibranch.WorkflowBranchProjectFactory"
STRING_CREDENTIAL = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
DECLARATIVE_ACTION = "org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJobAction"
LIST_VIEW = "hudson.model.ListView"

FALSE = Leaf("false", flag)
TRUE = Leaf("true", flag)
ANY = Leaf()
REQUIRED = Leaf(is_required=True)
MINUS_ONE = Leaf("-1", integer)
CRON = Leaf(check=problem_of, is_required=True)


def interval(text: str) -> str:
    """Accept milliseconds between a minute and 30 days."""
    if integer(text) or not 60_000 <= int(text) <= 30 * 86_400_000:
        return f"{text!r} is no number of ms between 1 min and 30 d"
    return ""


NAMED = {"name": REQUIRED, "description": ANY}
TIMERS = Listing({TIMER: Block({"spec": CRON})})

PARAMETER_DEFINITIONS = Listing(
    {
        STRING: Block({**NAMED, "defaultValue": ANY, "trim": FALSE}),
        BOOLEAN: Block({**NAMED, "defaultValue": FALSE}),
        CHOICE: Block(
            {
                **NAMED,
                "choices": Classed(
                    {
                        "java.util.Arrays$ArrayList": Block(
                            {"a": Listing({"string": ANY}, marks="string-array")}
                        )
                    }
                ),
            }
        ),
        TEXT: Block({**NAMED, "defaultValue": ANY, "trim": FALSE}),
    }
)

PROPERTIES = Listing(
    {
        CONCURRENCY: Block({"abortPrevious": FALSE}, "workflow-job"),
        RESUME: Block({}, "workflow-job"),
        TRIGGERS: Block({"triggers": TIMERS}, "workflow-job"),
        DISCARDER: Block(
            {
                "strategy": Classed(
                    {
                        ROTATOR: Block(
                            {
                                "daysToKeep": MINUS_ONE,
                                "numToKeep": MINUS_ONE,
                                "artifactDaysToKeep": MINUS_ONE,
                                "artifactNumToKeep": MINUS_ONE,
                                "removeLastBuild": FALSE,
                            }
                        )
                    },
                    ROTATOR,
                )
            }
        ),
        PARAMETERS: Block({"parameterDefinitions": PARAMETER_DEFINITIONS}),
    },
    is_set=True,
)

REMOTES = Listing(
    {
        "hudson.plugins.git.UserRemoteConfig": Block(
            {"name": ANY, "refspec": ANY, "url": REQUIRED, "credentialsId": ANY}
        )
    }
)
BRANCHES = Listing({"hudson.plugins.git.BranchSpec": Block({"name": REQUIRED})})
EMPTY_LIST = Ignored()

SCM = Classed(
    {
        GIT: Block(
            {
                "configVersion": Leaf("2", integer),
                "userRemoteConfigs": REMOTES,
                "branches": BRANCHES,
                "doGenerateSubmoduleConfigurations": FALSE,
                "submoduleCfg": EMPTY_LIST,
                "extensions": Ignored(),
            },
            "git",
        )
    }
)
DEFINITION = Classed(
    {
        CPS_SCM: Block(
            {"scm": SCM, "scriptPath": Leaf("Jenkinsfile"), "lightweight": FALSE}, "workflow-cps"
        ),
        CPS: Block({"script": ANY, "sandbox": FALSE}, "workflow-cps"),
    }
)
# ``actions`` and ``keepDependencies`` are what every real server adds, and takes back.
ACTIONS = Listing({DECLARATIVE_ACTION: Block({}, "pipeline-model-definition")})
PIPELINE_SHAPE = Block(
    {
        "actions": ACTIONS,
        "description": ANY,
        "displayName": ANY,
        "keepDependencies": FALSE,
        "properties": PROPERTIES,
        "definition": DEFINITION,
        "triggers": TIMERS,
        "concurrentBuild": Leaf(check=flag),
        "quietPeriod": Leaf(check=integer),
        "authToken": ANY,
        "disabled": FALSE,
    },
    "workflow-job",
)

FOLDERISH: dict[str, Shape] = {
    "actions": Ignored(),
    "description": ANY,
    "displayName": ANY,
    "properties": Ignored(),
    "folderViews": Ignored(),
    "healthMetrics": Ignored(),
    "icon": Ignored(),
}
FOLDER_SHAPE = Block(FOLDERISH, "cloudbees-folder")

TRAITS = Listing({BRANCH_TRAIT: Block({}), REGEX_TRAIT: Block({"regex": REQUIRED}, "scm-api")})
SOURCE = Classed(
    {
        GIT_SOURCE: Block(
            {"id": REQUIRED, "remote": REQUIRED, "credentialsId": ANY, "traits": TRAITS}, "git"
        )
    }
)
BRANCH_PROPERTIES = Block({"properties": Ignored()})
STRATEGY = "jenkins.branch.DefaultBranchPropertyStrategy"
MULTIBRANCH_SHAPE = Block(
    {
        **FOLDERISH,
        "orphanedItemStrategy": Classed(
            {
                ORPHANS: Block(
                    {
                        "pruneDeadBranches": TRUE,
                        "daysToKeep": MINUS_ONE,
                        "numToKeep": MINUS_ONE,
                        "abortBuilds": FALSE,
                    },
                    "cloudbees-folder",
                )
            },
            ORPHANS,
        ),
        "triggers": Listing(
            {PERIODIC: Block({"spec": Leaf(check=plain), "interval": Leaf("86400000", interval)})}
        ),
        "disabled": FALSE,
        "sources": Classed(
            {
                SOURCES: Block(
                    {
                        "data": Listing(
                            {
                                "jenkins.branch.BranchSource": Block(
                                    {
                                        "source": SOURCE,
                                        "strategy": Classed(
                                            {STRATEGY: BRANCH_PROPERTIES}, STRATEGY
                                        ),
                                    }
                                )
                            }
                        ),
                        "owner": Ignored(),
                    },
                    "branch-api",
                )
            }
        ),
        "factory": Classed(
            {FACTORY: Block({"owner": Ignored(), "scriptPath": Leaf("Jenkinsfile")})}, FACTORY
        ),
    },
    "workflow-multibranch",
)

ITEMS = {PIPELINE: PIPELINE_SHAPE, FOLDER: FOLDER_SHAPE, MULTIBRANCH: MULTIBRANCH_SHAPE}

COLUMNS = ["Status", "Weather", "Job", "LastSuccess", "LastFailure", "LastDuration"]
VIEW_SHAPE = Block(
    {
        "name": ANY,
        "description": ANY,
        "filterExecutors": FALSE,
        "filterQueue": FALSE,
        "properties": Ignored(),
        "jobNames": Listing({"comparator": ANY, "string": ANY}),
        "jobFilters": Ignored(),
        "columns": Listing(
            {f"hudson.views.{name}Column": Block({}) for name in [*COLUMNS, "BuildButton"]}
        ),
        "includeRegex": ANY,
        "recurse": FALSE,
    }
)
VIEWS = {LIST_VIEW: VIEW_SHAPE}

CREDENTIALS = {
    STRING_CREDENTIAL: Block(
        {
            "scope": Leaf("GLOBAL", one_of("GLOBAL", "SYSTEM")),
            "id": REQUIRED,
            "description": ANY,
            "secret": REQUIRED,
        },
        "plain-credentials",
    )
}
