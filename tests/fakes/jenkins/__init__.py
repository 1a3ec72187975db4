"""A strict fake of a Jenkins server, judged by the contract alone.

    with Jenkins() as server:
        ada = server.add_user("ada")  # may do everything but administer; READER may only look
        server.add_folder("production")
        ...  # a client of server.url as ada with ada.token
        server.tick(60)  # timers fire, the queue moves, builds start and end
        assert [build.result for build in server.builds] == ["SUCCESS"]

The end of the block fails the test if anything was asked that no row of the contract covers, if a
config.xml held an unknown element or a bad cron line, or if a secret appeared in a URL, a console
or a config.xml. ``with server.violation("the path is unknown"):`` expects such a thing.

* People: ``add_user(name, permissions, has_password=True)``; ``user.only["a/b"] = {"Item/Read"}``
  replaces the permissions at an item and below it; ``server.access.anonymous.permissions``.
* Items: ``add_folder``, ``add_item(full_name, config_xml)``, ``item``, ``job``; ``job.saves``
  counts how often it was saved, ``job.config`` is its config.xml as the server keeps it.
* Builds: ``run_with(runner, full_name)``, where a runner is a callable from ``Run`` to ``Outcome``;
  ``Outcome(seconds=30)`` runs for so long on the fake's clock, ``seconds=math.inf`` until it is
  stopped. ``server.builds`` are all builds in order, each with ``lines``, its ``sh`` lines.
  Two runners execute Jenkinsfiles: ``GroovyRunner`` by Groovy (a second for its first build, in a
  ``with`` block), ``ShellRunner(plan(groovy, jenkinsfile, parameters))`` the ``sh`` lines alone.
  ``sh`` is a process in ``build.run.workspace``; a job's ``file:`` repository is cloned.
  ``server.tick(wait_s=0)`` does not wait for it, ``server.wait_for(build)`` does.
* Nodes: ``add_node(name, labels, executors)``, ``require_label(full_name, label)``,
  ``take_offline``, ``bring_online``; ``read_labels()`` takes the label from the Jenkinsfile.
* Time: ``server.now``, ``tick(seconds)``. A wish for a build waits ``site.quiet_seconds``; a
  timer's does not.
* What goes wrong: ``restart``, ``stop``, ``be_starting``, ``be_behind_login``, ``be_slow``,
  ``cut``, ``lose_answer``, ``end_sessions``, ``expire_tokens``, ``refuse_queueing``,
  ``is_quieting_down``.
* The ledger: ``server.ledger`` are all requests, ``server.posts(after=n)`` those that change
  something.
"""

from __future__ import annotations

from tests.fakes.jenkins.groovy_runner import GroovyRunner
from tests.fakes.jenkins.running import Declared, Outcome, Run, ShellLine
from tests.fakes.jenkins.server import EVERYTHING, READER, Entry, Jenkins
from tests.fakes.jenkins.shell_runner import Plan, ShellRunner, plan, problem_of
from tests.fakes.jenkins.site import Site
from tests.fakes.jenkins.state import Build, Cause, Credential, Job, Node, QueueItem, User

__all__ = [
    "EVERYTHING",
    "READER",
    "Build",
    "Cause",
    "Credential",
    "Declared",
    "Entry",
    "GroovyRunner",
    "Jenkins",
    "Job",
    "Node",
    "Outcome",
    "Plan",
    "QueueItem",
    "Run",
    "ShellLine",
    "ShellRunner",
    "Site",
    "User",
    "plan",
    "problem_of",
]
