"""Jenkinsfiles for tests: right ones, wrong ones, what is said about these, and what builds do."""

from __future__ import annotations

from autoctrl.operations.jenkins.pipelines import (
    Surroundings,
    write_cycle,
    write_deploy,
    write_verb,
)

WHERE = Surroundings(agent="a", home="/p", path="/b", environment="", limit_s=60)
STEP = "steps { sh 'true' }"
STAGES = f"stages {{ stage('a') {{ {STEP} }} }}"


def pipeline(*sections: str, agent: str = "agent any", stages: str = STAGES) -> str:
    """Return a pipeline of these sections beside agent and stages."""
    return "pipeline {\n" + "\n".join([agent, *sections, stages]) + "\n}"


def stage(*sections: str) -> str:
    """Return a pipeline with one stage of these sections."""
    return pipeline(stages="stages { stage('a') {\n" + "\n".join(sections) + "\n} }")


def steps(*lines: str) -> str:
    """Return a pipeline with one stage of these steps."""
    return stage("steps {\n" + "\n".join(lines) + "\n}")


def script(*lines: str) -> str:
    """Return a pipeline with these lines of Groovy."""
    return steps("script {\n" + "\n".join(lines) + "\n}")


def two(kind: str, inner: str = "") -> str:
    """Return a stage whose two stages stand in ``kind``, the second with ``inner``."""
    return f"{kind} {{ stage('x') {{ {STEP} }}\nstage('y') {{ {inner or STEP} }} }}"


RIGHT = {
    "the least": pipeline(),
    "no agent": pipeline(agent="agent none"),
    "a label": pipeline(agent="agent { label 'a && b' }"),
    "a workspace": pipeline(agent="agent { node { label 'a'; customWorkspace '/w' } }"),
    "environment": pipeline(
        "environment { A = 'x'; B = \"${A}-$BUILD_NUMBER-${env.A}\"; C = credentials('id') }"
    ),
    "options": pipeline(
        "options { timeout(time: 1, unit: 'HOURS'); skipDefaultCheckout(); retry(2)\n"
        "preserveStashes(buildCount: 2); parallelsAlwaysFailFast() }"
    ),
    "options of a stage": stage("options { timeout(5) }", STEP),
    "post": pipeline(
        "post { always { echo 'a' }\nnotBuilt { echo 'b' }\ncleanup { deleteDir() } }"
    ),
    "tools": pipeline("tools { maven 'm3' }"),
    "libraries": pipeline("libraries { lib('x@main') }"),
    "when": stage(
        "when { beforeAgent true\nallOf { branch 'main'; not { tag 'v*' }\n"
        "anyOf { buildingTag(); environment name: 'A', value: 'b'; triggeredBy 'TimerTrigger' } }\n"
        "expression { return params.X == 'y' && env.BRANCH_NAME.startsWith('a') } }",
        STEP,
    ),
    "input": stage("input { message 'Go on?'\nok 'Yes' }", STEP),
    "stages within a stage": stage(two("stages")),
    "parallel": stage("failFast true", two("parallel")),
    "stages within parallel": stage(two("parallel", two("stages"))),
    "one name in two parents": stage(two("parallel", two("stages"))),
    "matrix": stage(
        "matrix { axes { axis { name 'OS'; values 'a', 'b' } }\n"
        "excludes { exclude { axis { name 'OS'; notValues 'a' } } }\n" + STAGES + " }"
    ),
    "many steps": steps(
        "checkout scm",
        'echo "build ${env.BUILD_NUMBER} of ${params.X}"',
        "dir('x') { sh(script: 'true', label: 'x') }",
        "timeout(time: 5, unit: 'MINUTES') { retry(3) { sh 'true' } }",
        "withCredentials([string(credentialsId: 'id', variable: 'T')]) { sh 'use \"$T\"' }",
        "withEnv(['A=b']) { sh 'echo \"$A\"' }",
        "catchError(buildResult: 'UNSTABLE', stageResult: 'FAILURE') { sh 'false' }",
        "junit testResults: '*.xml', allowEmptyResults: true",
        "archiveArtifacts artifacts: 'x/**', allowEmptyArchive: true",
        "build job: 'other', parameters: [string(name: 'A', value: 'b')], wait: false",
        "stash name: 's', includes: 'x'",
    ),
    "script": script(
        "def code = sh(returnStatus: true, script: 'true')",
        "def words = sh(returnStdout: true, script: 'ls').trim().split(' ')",
        "for (word in words) { if (word != 'x') { echo \"${word} ${code}\" } }",
        "words.each { echo it }",
        "try { sh 'true' } catch (problem) { currentBuild.result = 'UNSTABLE' }",
        "parallel(a: { sh 'true' }, b: { sh 'false' })",
        "env.DONE = 'yes'",
    ),
    "three quotes": steps("sh '''\n  echo \"$HOME\"\n'''"),
    "double quotes that hold no value": steps('sh "true"'),
    "the job of a cycle": write_cycle(WHERE, "camera-reco"),
    "the job of a verb": write_verb(WHERE, "discover"),
    "the job that deploys": write_deploy(WHERE._replace(path="", environment="production")),
}

# What is wrong, and words of what is said about it, each of one finding.
WRONG = {
    "no Groovy": ("pipeline {", ["unexpected token"]),
    "empty": ("", ["There is no pipeline"]),
    "two pipelines": (f"{pipeline()}\n{pipeline()}", ["more than one pipeline"]),
    "a definition at the top": (f"def x = 1\n{pipeline()}", ["Only pipeline { }"]),
    "scripted": ("node { sh 'true' }", ["Only pipeline { }", "There is no pipeline"]),
    "a function": (f"def f() {{ 1 }}\n{pipeline()}", ["The function f"]),
    "a class": (f"class A {{ }}\n{pipeline()}", ["A class"]),
    "an import": (f"import java.io.File\n{pipeline()}", ["An import"]),
    "a library": (f"@Library('x') import y\n{pipeline()}", ["An annotation", "An import"]),
    "a grape": (
        f"@Grab('x:y:1')\nimport y.Z\n{pipeline()}",
        ["An annotation", "An import"],
    ),
    "no agent": (pipeline(agent=""), ['Missing required section "agent"']),
    "no stages": (pipeline(stages=""), ['Missing required section "stages"']),
    "an unknown section": (
        pipeline("stagse { }"),
        ['Undefined section "stagse". Did you mean stages?'],
    ),
    "steps of a pipeline": (pipeline(STEP), ['Undefined section "steps"']),
    "a section twice": (pipeline("agent none"), ["Multiple occurrences of the agent section"]),
    "a section without a block": (pipeline("post 'x'"), ["post needs a block"]),
    "a statement among sections": (pipeline("A = 'x'"), ["no definition of anything"]),
    "an unknown agent": (pipeline(agent="agent some"), ["agent is any, none"]),
    "an agent as text": (pipeline(agent="agent 'x'"), ["agent is any, none"]),
    "an empty agent": (pipeline(agent="agent { }"), ["section agent is empty"]),
    "two agents": (pipeline(agent="agent { label 'a'\nlabel 'b' }"), ["more than one kind"]),
    "an agent of a plugin": (pipeline(agent="agent { docker 'x' }"), ["--known docker"]),
    "a node without label": (
        pipeline(agent="agent { node { customWorkspace 'x' } }"),
        ["node needs a label"],
    ),
    "a label that is empty": (pipeline(agent="agent { label '' }"), ["label needs"]),
    "environment, empty": (pipeline("environment { }"), ["environment is empty"]),
    "environment, a number": (pipeline("environment { A = 1 }"), ["A is neither a text nor"]),
    "environment, a call": (pipeline("environment { A = sh('x') }"), ["A is neither a text nor"]),
    "environment, a sum": (pipeline("environment { A = 'x' + B }"), ["A is neither a text nor"]),
    "environment, a call in a text": (
        pipeline('environment { A = "${x.trim()}" }'),
        ["A is neither"],
    ),
    "environment, twice": (pipeline("environment { A = 'x'; A = 'y' }"), ["A is set twice"]),
    "environment, a definition": (pipeline("environment { def A = 'x' }"), ["NAME = 'value'"]),
    "environment, unknown": (
        pipeline('environment { A = "$NOWHERE" }'),
        ["nothing is called NOWHERE"],
    ),
    "post, unknown": (pipeline("post { finally { sh 'x' } }"), ["unexpected token"]),
    "post, misspelt": (
        pipeline("post { Always { sh 'x' } }"),
        ['Undefined post condition "Always". Did you mean always?'],
    ),
    "post, empty": (pipeline("post { }"), ["section post is empty"]),
    "post without steps": (pipeline("post { always { } }"), ["always { } has no steps"]),
    "post, twice": (
        pipeline("post { always { sh 'x' }\nalways { sh 'y' } }"),
        ["Multiple occurrences of the always"],
    ),
    "options, empty": (pipeline("options { }"), ["section options is empty"]),
    "options, unknown": (
        pipeline("options { timeuot(5) }"),
        ['Undefined option "timeuot". Did you mean timeout?'],
    ),
    "options, twice": (
        pipeline("options { retry(1); retry(2) }"),
        ["Multiple occurrences of the option retry"],
    ),
    "options, an unknown argument": (
        pipeline("options { timeout(tiem: 5) }"),
        ["no argument tiem. Did you mean time?", "timeout needs time"],
    ),
    "options, too many": (pipeline("options { retry(1, 2) }"), ["takes one argument"]),
    "options, node": (pipeline("options { node('x') }"), ['Undefined option "node"']),
    "options of a pipeline in a stage": (
        stage("options { preserveStashes() }", STEP),
        ['Undefined option "preserveStashes"'],
    ),
    "tools, unknown": (pipeline("tools { python '3' }"), ['Undefined tool "python"']),
    "tools, empty": (pipeline("tools { }"), ["section tools is empty"]),
    "libraries, unknown": (pipeline("libraries { library('x') }"), ['Undefined library "library"']),
    "a stage without name": (
        pipeline(stages=f"stages {{ stage {{ {STEP} }} }}"),
        ["A stage has a name"],
    ),
    "a stage whose name is computed": (
        pipeline(stages=f'stages {{ stage("$X") {{ {STEP} }} }}'),
        ["A stage has a name"],
    ),
    "stages, empty": (pipeline(stages="stages { }"), ["section stages is empty"]),
    "stages that hold steps": (pipeline(stages="stages { sh 'x' }"), ["this is sh"]),
    "a stage without steps": (stage("agent any"), ["exactly one of steps"]),
    "a stage with two contents": (
        stage(STEP, two("parallel")),
        ["this one has steps and parallel"],
    ),
    "a stage with a name twice": (
        pipeline(stages=f"stages {{ stage('a') {{ {STEP} }}\nstage('a') {{ {STEP} }} }}"),
        ['Duplicate stage name: "a"'],
    ),
    "an unknown section of a stage": (
        stage(STEP, "triggers { cron('x') }"),
        ['Undefined section "triggers"'],
    ),
    "steps, empty": (stage("steps { }"), ["steps { } has no steps"]),
    "parallel with an agent": (stage("agent any", two("parallel")), ["has no agent"]),
    "parallel with tools": (stage("tools { jdk 'x' }", two("parallel")), ["has no tools"]),
    "parallel in parallel": (stage(two("parallel", two("parallel"))), ["Within parallel"]),
    "parallel below stages in parallel": (
        stage(two("parallel", two("stages", two("parallel")))),
        ["Within parallel"],
    ),
    "failFast without parallel": (stage("failFast true", STEP), ["failFast belongs to"]),
    "failFast, a text": (stage("failFast 'yes'", two("parallel")), ["failFast is true or false"]),
    "matrix without axes": (stage(f"matrix {{ {STAGES} }}"), ["matrix needs axes"]),
    "an axis without values": (
        stage(f"matrix {{ axes {{ axis {{ name 'A' }} }}\n{STAGES} }}"),
        ["An axis has values"],
    ),
    "when, empty": (stage("when { }", STEP), ["section when is empty"]),
    "when, unknown": (stage("when { brunch 'x' }", STEP), ['Undefined condition "brunch"']),
    "when, only a gate": (stage("when { beforeAgent true }", STEP), ["when has no condition"]),
    "when, not of two": (stage("when { not { branch 'a'\nbranch 'b' } }", STEP), ["not takes one"]),
    "when, an argument": (
        stage("when { environment name: 'A' }", STEP),
        ["environment needs value"],
    ),
    "input without message": (stage("input { ok 'x' }", STEP), ["input needs a message"]),
    "an unknown step": (steps("shh 'x'"), ['There is no step "shh"']),
    "println": (steps("println 'x'"), ['There is no step "println"']),
    "a step of a plugin": (steps("slackSend 'x'"), ["named by --known"]),
    "a stage among steps": (steps("stage('x') { sh 'y' }"), ['Invalid step "stage"']),
    "parallel among steps": (steps("parallel(a: { sh 'y' })"), ['Invalid step "parallel"']),
    "properties among steps": (steps("properties([])"), ['Invalid step "properties"']),
    "a definition among steps": (steps("def x = 1"), ["a definition needs script"]),
    "an assignment among steps": (steps("x = 1"), ["an assignment needs script"]),
    "a condition among steps": (steps("if (true) { sh 'x' }"), ["if needs script"]),
    "a loop among steps": (steps("for (x in [1]) { sh 'x' }"), ["for needs script"]),
    "a method among steps": (
        steps("env.A.trim()"),
        ["a call of a method on an object needs script"],
    ),
    "a method in an argument": (steps("echo env.A.trim()"), ["needs script"]),
    "an argument that does not exist": (
        steps("sh(script: 'x', returnStatsu: true)"),
        ["sh has no argument returnStatsu"],
    ),
    "sh without a script": (steps("sh(returnStatus: true)"), ["sh needs script"]),
    "sh with a block": (steps("sh('x') { }"), ["sh takes no block"]),
    "dir without a block": (steps("dir('x')"), ["dir needs a block"]),
    "dir without steps": (steps("dir('x') { }"), ["has no steps"]),
    "an unknown name in script": (script("echo nowhere"), ["nothing is called nowhere"]),
    "an unknown step in script": (script("shh 'x'"), ['There is no step "shh"']),
    "a command in script": (script("'rm -rf x'.execute()"), ["The method execute"]),
    "a constructor in script": (script("new File('x').text"), ["new File"]),
    "a class in script": (script("Runtime.runtime.exec('x')"), ["The method exec"]),
    "a way to classes in script": (script("def c = ''.class"), ["The property class"]),
    "a name that is computed": (script("\"${'ex' + 'it'}\"()"), ["whose name is computed"]),
    "a pointer to a method": (script("def f = this.&exit"), ["A pointer"]),
    "an annotation in script": (
        script("@groovy.transform.ASTTest(value={ System.exit(3) })", "def x = 1"),
        ["An annotation"],
    ),
    "a default in script": (script("def f = { x = System.exit(3) -> x }"), ["a default"]),
    "a call in a label": (
        pipeline(agent='agent { label "${System.exit(3)}" }'),
        ["label needs a text"],
    ),
    "a call beside a name": (
        pipeline(stages=f"stages {{ stage('a', System.exit(3)) {{ {STEP} }} }}"),
        ["A stage has a name"],
    ),
    "a call beside stages": (
        pipeline(stages="stages(System.exit(3)) { }"),
        ["takes a block and nothing else", "is empty"],
    ),
    "triggers, unknown": (
        pipeline("triggers { corn('x') }"),
        ['Undefined trigger "corn". Did you mean cron?', "triggers belongs to the job"],
    ),
    "triggers, twice": (
        pipeline("triggers { cron('x'); cron('y') }"),
        ["Multiple occurrences of the trigger", "triggers belongs to the job"],
    ),
    "triggers, empty": (pipeline("triggers { }"), ["is empty", "triggers belongs to the job"]),
    "parameters without name": (
        pipeline("parameters { string(defaultValue: 'x') }"),
        ["string needs name", "parameters belongs to the job"],
    ),
    "an option of the job with an argument": (
        pipeline("options { disableResume(1) }"),
        ["no argument without a name", "disableResume belongs to the job"],
    ),
    "matrix in parallel": (
        stage(
            two("parallel", f"matrix {{ axes {{ axis {{ name 'A'; values 'b' }} }}\n{STAGES} }}")
        ),
        ["Within parallel"],
    ),
    "a conversion": (script("def f = 'x' as File"), ["The conversion to File"]),
}

# What Jenkins would take, and what must not stand in a Jenkinsfile of ours.
FOREIGN = {
    "triggers": (pipeline("triggers { cron('H * * * *') }"), ["triggers belongs to the job"]),
    "parameters": (
        pipeline("parameters { string(name: 'A', defaultValue: 'b', description: 'c') }"),
        ["parameters belongs to the job"],
    ),
    **{
        name: (pipeline(f"options {{ {name}({given}) }}"), [f"option {name} belongs to the job"])
        for name, given in {
            "buildDiscarder": "logRotator(numToKeepStr: '5')",
            "disableConcurrentBuilds": "",
            "disableResume": "",
            "quietPeriod": "5",
        }.items()
    },
    "properties in script": (script("properties([])"), ["properties sets belongs to the job"]),
    "sh with a value": (steps('sh "run ${params.X}"'), ["double quotes"]),
    "sh with a value by name": (
        steps('sh(script: "run $BUILD_ID", returnStatus: true)'),
        ["double quotes"],
    ),
    "sh with a value in script": (script("def x = 1", 'sh "run $x"'), ["double quotes"]),
    "sh with a sum": (script("sh 'run ' + params.X"), ["put together"]),
    "sh with a variable": (script('def line = "a $BUILD_ID"', "sh line"), ["put together"]),
}


# What a build does, in order, and how it ends, where every command ends with 1.
DEEDS = {
    "post runs in Jenkins' order": (
        pipeline(
            "post { cleanup { sh 'z' }\nfailure { sh 'c' }",
            "success { sh 'no' }\nalways { sh 'b' } }",
            stages="stages { stage('a') { steps { sh 'a' } }\nstage('n') { steps { sh 'no' } } }",
        ),
        "a b c z",
        "FAILURE",
    ),
    "a caught failure stops nothing": (
        pipeline(
            stages="stages {\n"
            "stage('a') { steps { catchError(buildResult: 'UNSTABLE') { sh 'a' } } }\n"
            "stage('b') { steps { warnError('x') { sh 'b' }\n"
            "sh(script: 'c', returnStatus: true) } } }"
        ),
        "a b c",
        "UNSTABLE",
    ),
    "parts of a stage run before its post": (
        stage("post { unsuccessful { sh 'd' } }", two("parallel", "steps { sh 'b' }"), ""),
        "true b d",
        "FAILURE",
    ),
}
