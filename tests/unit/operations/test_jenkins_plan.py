"""What sync does with what it finds, and what of a configuration is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import JenkinsError
from autoctrl.operations.jenkins.config_xml import (
    join_configs,
    read_config,
    spell_config,
    write_item,
)
from autoctrl.operations.jenkins.elements import kind_of, read_elements, read_mark
from autoctrl.operations.jenkins.jobs import Folder, Inline, Job, Parameter
from autoctrl.operations.jenkins.plan import Action, Verb, compare, plan_sync
from tests.unit.operations.jenkins_items import HOME, MIRROR, REPOSITORY, items_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.operations.jenkins.jobs import Item

ITEMS = {
    **items_of(HOME + MIRROR),
    **{f"{name}-scm": item for name, item in items_of(REPOSITORY).items()},
}
TIMER = "properties/*/triggers/hudson.triggers.TimerTrigger"
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=20)


def kept(item: Item, project: str = "camera") -> Element:
    """Return what Jenkins makes of an item: attributes and defaults are added, parts are sorted."""
    root = read_config(item.name, spell_config(write_item(item, project)))
    root.set("plugin", "workflow-job@7")
    SubElement(root, "actions")
    for part in root.findall(".//scm"):
        SubElement(part, "doGenerateSubmoduleConfigurations").text = "false"
    properties = root.find("properties")
    if properties is not None:
        properties[:] = sorted(properties, key=lambda part: part.tag, reverse=True)
    root[:] = sorted(root, key=lambda part: part.tag)
    return root


def plan(
    found: dict[str, Element], *, is_adopting: bool = False, is_pruning: bool = False
) -> dict[str, Action]:
    """Return what is done with each item, wanted are those of a deployed project."""
    wanted = [*items_of(HOME + MIRROR).values()]
    actions = plan_sync(wanted, found, "camera", is_adopting=is_adopting, is_pruning=is_pruning)
    return {action.name: action for action in actions}


def everything() -> dict[str, Element]:
    """Return a Jenkins that has all."""
    return {name: kept(item) for name, item in items_of(HOME + MIRROR).items()}


def change(root: Element, path: str, text: str) -> None:
    """Change a text in a configuration."""
    part = root.find(path)
    assert part is not None
    part.text = text


def drop(root: Element, path: str, tag: str) -> None:
    """Take an element out of a configuration."""
    parent = root.find(path)
    assert parent is not None
    part = parent.find(tag)
    assert part is not None
    parent.remove(part)


def test_an_empty_jenkins_gets_everything_the_folder_first() -> None:
    """What is not there is created, with a word on what it will be."""
    actions = plan({})
    assert [*actions] == [
        "autoctrl",
        "autoctrl/discover",
        "autoctrl/deploy",
        "autoctrl/watch",
        "autoctrl/cycle-reco",
        "autoctrl-mirror",
    ]
    assert {action.verb for action in actions.values()} == {Verb.CREATE}
    assert actions["autoctrl/discover"].text == "pipeline, H * * * *"
    assert all(action.acts and action.config for action in actions.values())


def test_what_jenkins_made_of_ours_is_kept() -> None:
    """Attributes, defaults and another order are no change."""
    actions = plan(everything())
    assert {action.verb for action in actions.values()} == {Verb.KEEP}
    assert not any(action.acts or action.config for action in actions.values())


def test_a_job_is_the_same_whoever_spells_it() -> None:
    """What is read of each item that can be wanted is what was written, its mark too."""
    for item in ITEMS.values():
        written, found = write_item(item, "camera/test"), kept(item, "camera/test")
        assert read_elements(found) == read_elements(written)
        mark = read_mark(found)
        assert mark is not None
        assert mark.project == "camera/test"
        assert mark == read_mark(written)


@given(TEXTS, TEXTS, TEXTS, st.integers(1, 10**6))
def test_texts_come_back_as_they_were_sent(
    description: str, script: str, default: str, number: int
) -> None:
    """Whatever stands in a job, what Jenkins returns is no change."""
    parameters = (Parameter("P", description, default),)
    job = Job("a/b", description, Inline(script), number, "@daily", parameters)
    assert not compare(read_elements(kept(job)), read_elements(write_item(job, "a project")))


_PROPERTY = "org.jenkinsci.plugins.workflow.job.properties"
CHANGES: dict[str, tuple[str, Callable[[Element], None]]] = {
    "cron": ("discover", lambda root: change(root, f"{TIMER}/spec", "H/5 * * * *")),
    "no cron": (
        "discover",
        lambda root: drop(root, "properties", f"{_PROPERTY}.PipelineTriggersJobProperty"),
    ),
    "several": (
        "watch",
        lambda root: drop(root, "properties", f"{_PROPERTY}.DisableConcurrentBuildsJobProperty"),
    ),
    "aborts": ("watch", lambda root: change(root, "properties/*/abortPrevious", "true")),
    "resumed": (
        "watch",
        lambda root: drop(root, "properties", f"{_PROPERTY}.DisableResumeJobProperty"),
    ),
    "builds": ("watch", lambda root: change(root, "properties/*/strategy/daysToKeep", "3")),
    "artifacts": (
        "watch",
        lambda root: change(root, "properties/*/strategy/artifactNumToKeep", "3"),
    ),
    "all builds": (
        "watch",
        lambda root: drop(root, "properties", "jenkins.model.BuildDiscarderProperty"),
    ),
    "parameter": (
        "deploy",
        lambda root: change(root, "properties/*/parameterDefinitions/*/defaultValue", "main"),
    ),
    "disabled": ("cycle-reco", lambda root: change(root, "disabled", "true")),
    "script": ("cycle-reco", lambda root: change(root, "definition/script", "pipeline { }")),
    "sandbox": ("cycle-reco", lambda root: change(root, "definition/sandbox", "false")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_person_changed_is_seen_and_set_back(what: str) -> None:
    """A change of one of our elements by hand is an update that says so."""
    name, alter = CHANGES[what]
    found = everything()
    alter(found[f"autoctrl/{name}"])
    action = plan(found)[f"autoctrl/{name}"]
    assert action.verb is Verb.UPDATE
    assert action.text.endswith("(changed in Jenkins since the last sync)")
    joined = {**found, action.name: read_config(action.name, action.config)}
    assert plan(joined)[action.name].verb is Verb.KEEP


def test_a_change_is_shown_with_both_values_if_they_are_short() -> None:
    """A cron is shown as it is and as it will be; of a script it is said that it differs."""
    found = everything()
    change(found["autoctrl/discover"], f"{TIMER}/spec", "H/5 * * * *")
    change(found["autoctrl/watch"], "definition/script", "pipeline { }")
    actions = plan(found)
    assert actions["autoctrl/discover"].text.startswith("cron 'H/5 * * * *' → 'H * * * *'")
    assert actions["autoctrl/watch"].text.startswith("script (changed")


def test_what_the_settings_changed_is_not_put_on_a_person() -> None:
    """An update whose cause is ours does not say that somebody changed the job."""
    found = everything()
    other = items_of(HOME + MIRROR + 'cron = "@daily"')
    found["autoctrl/discover"] = kept(other["autoctrl/discover"])
    action = plan(found)["autoctrl/discover"]
    assert (action.verb, action.text) == (Verb.UPDATE, "cron '@daily' → 'H * * * *'")


def test_a_trigger_of_another_kind_is_seen() -> None:
    """Triggers are ours, so one that a person added is taken away."""
    found = everything()
    triggers = found["autoctrl/discover"].find("properties/*/triggers")
    assert triggers is not None
    SubElement(triggers, "hudson.triggers.SCMTrigger")
    action = plan(found)["autoctrl/discover"]
    assert "other triggers 'SCMTrigger' → ''" in action.text


def test_what_is_not_ours_is_left_alone() -> None:
    """Properties that others have set survive an update, of a folder everything but the text."""
    found = everything()
    discover, folder = found["autoctrl/discover"], found["autoctrl"]
    properties = discover.find("properties")
    assert properties is not None
    SubElement(properties, "their.Property").text = "kept"
    change(discover, "disabled", "true")
    SubElement(folder, "icon")
    their = folder.find("properties")
    assert their is not None
    SubElement(their, "their.Credentials").text = "kept"
    change(folder, "description", "autoctrl project=camera digest=0")
    actions = plan(found)
    for name in ("autoctrl", "autoctrl/discover"):
        joined = read_config(name, actions[name].config)
        assert "kept" in [part.text for part in joined.findall("properties/*")]
        assert plan({**found, name: joined})[name].verb is Verb.KEEP


def test_a_configuration_without_properties_gets_ours() -> None:
    """Where Jenkins dropped an empty list, the list is made again."""
    job = ITEMS["autoctrl/watch"]
    found, wanted = kept(job), write_item(job, "camera")
    found.remove(found.find("properties") or Element("properties"))
    drop(found, ".", "definition")
    joined = join_configs(found, wanted)
    assert read_elements(joined) == read_elements(wanted)


@pytest.mark.parametrize("project", ["", "other"])
def test_a_job_that_is_not_ours_is_refused_and_may_be_adopted(project: str) -> None:
    """A job of our name without our mark is left alone, unless the person says otherwise."""
    found = everything()
    theirs = kept(ITEMS["autoctrl/watch"], "other")
    if not project:
        change(theirs, "description", "made by hand")
    found["autoctrl/watch"] = theirs
    refused = plan(found)["autoctrl/watch"]
    assert refused.verb is Verb.REFUSE
    assert "--adopt" in refused.text
    adopted = plan(found, is_adopting=True)["autoctrl/watch"]
    assert adopted.verb is Verb.ADOPT
    mark = read_mark(read_config(adopted.name, adopted.config))
    assert mark is not None
    assert mark.project == "camera"


def test_another_kind_of_job_cannot_be_adopted() -> None:
    """Jenkins changes no job into one of another kind."""
    found = {**everything(), "autoctrl/watch": Element("project")}
    action = plan(found, is_adopting=True)["autoctrl/watch"]
    assert (action.verb, kind_of(Element("project"))) == (Verb.REFUSE, "project")
    assert action.text.startswith("It is a project, and a pipeline is wanted.")


def test_a_folder_of_others_keeps_us_out() -> None:
    """If the folder is not ours nothing is put into it."""
    found = {"autoctrl": kept(Folder("autoctrl", "theirs"), "other")}
    actions = plan(found)
    assert [*actions] == ["autoctrl"]
    assert actions["autoctrl"].verb is Verb.REFUSE


def test_names_that_differ_by_capitals_are_the_same_to_jenkins() -> None:
    """A job Watch is in the way of our watch, and said to be."""
    found = everything()
    found["autoctrl/Watch"] = found.pop("autoctrl/watch")
    action = plan(found)["autoctrl/watch"]
    assert (action.verb, action.text) == (
        Verb.REFUSE,
        "Jenkins takes it for autoctrl/Watch. Rename that one.",
    )


def test_only_ours_is_pruned() -> None:
    """A marked job that nobody wants is removed when asked for; those of others never."""
    found = everything()
    found["autoctrl/cycle-old"] = kept(ITEMS["autoctrl/watch"])
    found["autoctrl/theirs"] = kept(ITEMS["autoctrl/watch"], "other")
    found["autoctrl/unmarked"] = Element("project")
    assert plan(found)["autoctrl/cycle-old"].verb is Verb.LEAVE
    pruned = plan(found, is_pruning=True)
    assert pruned["autoctrl/cycle-old"].verb is Verb.REMOVE
    assert not {"autoctrl/theirs", "autoctrl/unmarked"} & pruned.keys()


def test_a_configuration_that_cannot_be_read_is_a_sentence() -> None:
    """What no parser reads names the job and what to do."""
    with pytest.raises(JenkinsError, match="The configuration of a/b in Jenkins cannot be read"):
        read_config("a/b", "<flow-definition>")
