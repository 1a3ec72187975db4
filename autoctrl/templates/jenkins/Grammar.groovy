/** What a declarative Jenkinsfile may hold: sections, conditions, options, steps, each with its arguments. */
class Grammar {
    static final Set PIPELINE = ['agent', 'stages', 'environment', 'post', 'tools', 'options', 'parameters', 'triggers', 'libraries']
    static final Set CONTENT = ['steps', 'stages', 'parallel', 'matrix']
    static final Set STAGE = CONTENT + ['agent', 'when', 'post', 'options', 'input', 'tools', 'environment', 'failFast']
    static final Set MATRIX = ['axes', 'excludes', 'stages', 'agent', 'when', 'post', 'options', 'input', 'tools', 'environment']
    static final List POST = ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'notBuilt', 'cleanup']
    static final Set TOOLS = ['jdk', 'maven', 'gradle', 'ant', 'git', 'nodejs']
    // The arguments that a name takes: the first one, which may stand alone; others; those that must be there; whether a block follows.
    static Map takes(String first = null, List others = [], List required = [], Object block = false) {
        [first: first, named: (first ? [first] : []) + others, required: required, block: block]
    }
    static final Map PROPERTIES = [ // what becomes configuration of the job when a build runs
        buildDiscarder: takes('strategy', [], ['strategy']), disableConcurrentBuilds: takes(null, ['abortPrevious']), disableResume: takes(),
        quietPeriod: takes('quietPeriod', [], ['quietPeriod']), overrideIndexTriggers: takes('enable'), rateLimitBuilds: takes('throttle'),
        copyArtifactPermission: takes('projectNames'), durabilityHint: takes('hint', [], ['hint']),
    ]
    static final Map WRAPPERS = [
        skipDefaultCheckout: takes('value'), timeout: takes('time', ['unit', 'activity'], ['time']), retry: takes('count', ['conditions'], ['count']),
        timestamps: takes(), ansiColor: takes('colorMapName', [], ['colorMapName']), lock: takes('resource', ['label', 'quantity', 'inversePrecedence', 'skipIfLocked']),
    ]
    static final Map OPTIONS = PROPERTIES + WRAPPERS + [
        checkoutToSubdirectory: takes('subdirectory', [], ['subdirectory']), skipStagesAfterUnstable: takes('value'), parallelsAlwaysFailFast: takes(),
        disableRestartFromStage: takes(), preserveStashes: takes('buildCount', [], []), newContainerPerStage: takes(),
    ]
    static final Map TRIGGERS = [
        cron: takes('spec', [], ['spec']), pollSCM: takes('scmpoll_spec', ['ignorePostCommitHooks'], ['scmpoll_spec']),
        upstream: takes('upstreamProjects', ['threshold'], ['upstreamProjects']),
    ]
    static final Map PARAMETERS = ['string', 'booleanParam', 'choice', 'text', 'password'].collectEntries {
        [it, takes(null, ['name', 'defaultValue', 'description', 'trim', 'choices'], ['name'])]
    }
    static final Set GATES = ['beforeAgent', 'beforeInput', 'beforeOptions']
    static final Set NESTING = ['allOf', 'anyOf', 'not']
    static final Map WHEN = [
        branch: takes('pattern', ['comparator'], ['pattern']), tag: takes('pattern', ['comparator']), buildingTag: takes(),
        changelog: takes('pattern', ['comparator'], ['pattern']), changeset: takes('pattern', ['glob', 'comparator', 'caseSensitive'], []),
        changeRequest: takes(null, ['id', 'target', 'branch', 'fork', 'url', 'title', 'author', 'authorDisplayName', 'authorEmail', 'comparator']),
        environment: takes(null, ['name', 'value', 'ignoreCase'], ['name', 'value']), equals: takes(null, ['expected', 'actual'], ['expected', 'actual']),
        triggeredBy: takes('cause', ['detail'], ['cause']), isRestartedRun: takes(),
    ]
    static final Map INPUT = ['message', 'ok', 'id', 'submitter', 'submitterParameter'].collectEntries { [it, takes(it, [], [it])] }
    static final Set SHELLS = ['sh', 'bat', 'powershell', 'pwsh']
    static final Map STEPS = SHELLS.collectEntries { [it, takes('script', ['returnStatus', 'returnStdout', 'encoding', 'label'], ['script'])] } + [
        echo: takes('message', [], ['message']), error: takes('message', [], ['message']), unstable: takes('message', [], ['message']),
        script: takes(null, [], [], true), dir: takes('path', [], ['path'], true), ws: takes('dir', [], ['dir'], true), node: takes('label', [], [], true),
        timeout: takes('time', ['unit', 'activity'], ['time'], true), retry: takes('count', ['conditions'], ['count'], true),
        timestamps: takes(null, [], [], true), ansiColor: takes('colorMapName', [], ['colorMapName'], true), sleep: takes('time', ['unit'], ['time']),
        lock: takes('resource', ['label', 'quantity', 'inversePrecedence', 'skipIfLocked', 'variable'], [], true),
        catchError: takes(null, ['buildResult', 'stageResult', 'message', 'catchInterruptions'], [], true),
        warnError: takes('message', ['catchInterruptions'], ['message'], true), waitUntil: takes(null, ['initialRecurrencePeriod', 'quiet'], [], true),
        withCredentials: takes('bindings', [], ['bindings'], true), withEnv: takes('overrides', [], ['overrides'], true),
        archiveArtifacts: takes('artifacts', ['allowEmptyArchive', 'caseSensitive', 'defaultExcludes', 'excludes', 'fingerprint', 'followSymlinks', 'onlyIfSuccessful'], ['artifacts']),
        junit: takes('testResults', ['allowEmptyResults', 'skipMarkingBuildUnstable', 'skipPublishingChecks', 'keepLongStdio', 'checksName', 'healthScaleFactor',
            'keepProperties', 'keepTestNames', 'skipOldReports', 'stdioRetention', 'testDataPublishers'], ['testResults']),
        build: takes('job', ['parameters', 'wait', 'propagate', 'quietPeriod', 'waitForStart'], ['job']), input: takes('message', ['id', 'ok', 'submitter', 'parameters', 'submitterParameter'], ['message']),
        checkout: takes('scm', ['changelog', 'poll'], ['scm']), git: takes('url', ['branch', 'changelog', 'credentialsId', 'poll'], ['url']),
        stash: takes('name', ['includes', 'excludes', 'allowEmpty', 'useDefaultExcludes'], ['name']), unstash: takes('name', [], ['name']),
        readFile: takes('file', ['encoding'], ['file']), writeFile: takes('file', ['text', 'encoding'], ['file', 'text']), fileExists: takes('file', [], ['file']),
        isUnix: takes(), pwd: takes(null, ['tmp']), deleteDir: takes(), cleanWs: takes(null, ['deleteDirs', 'notFailBuild', 'patterns', 'disableDeferredWipeout', 'cleanWhenFailure', 'cleanWhenSuccess']),
        mail: takes(null, ['to', 'cc', 'bcc', 'from', 'replyTo', 'subject', 'body', 'charset', 'mimeType'], ['subject', 'body']), milestone: takes('ordinal', ['label']),
        tool: takes('name', ['type'], ['name']),
    ]
    static final Set BLOCKED = ['stage', 'parallel', 'properties']
    static final Set SCRIPTED = ['stage', 'parallel'] // steps that only script { } may call
    static final Set VALUES = ['string', 'booleanParam', 'text', 'password', 'file', 'usernamePassword', 'usernameColonPassword', 'sshUserPrivateKey', 'certificate', 'zip', 'logRotator', 'scmGit']
    // What script { } may call on a value. Anything else could start a program or open a file on the machine that checks.
    static final Set METHODS = ['trim', 'split', 'startsWith', 'endsWith', 'contains', 'replace', 'replaceAll', 'toInteger', 'isInteger', 'toString', 'size', 'length', 'isEmpty', 'get', 'put',
        'containsKey', 'keySet', 'values', 'each', 'eachWithIndex', 'collect', 'collectEntries', 'find', 'findAll', 'any', 'every', 'join', 'sort', 'unique', 'first', 'last', 'take',
        'drop', 'plus', 'minus', 'equals', 'toLowerCase', 'toUpperCase', 'substring', 'indexOf', 'add', 'addAll', 'tokenize', 'readLines', 'stripIndent', 'stripMargin']
    static final Set HIDDEN = ['class', 'metaClass', 'binding', 'classLoader', 'delegate', 'owner', 'thisObject', 'directive', 'resolveStrategy']
    static final Set CASTS = ['String', 'Integer', 'int', 'boolean', 'Boolean', 'List', 'Map', 'Object', 'java.lang.Object', 'java.lang.String']
    static final String OWNER = 'belongs to the job, whose configuration `autoctrl jenkins sync` writes: a build would change it'
}
