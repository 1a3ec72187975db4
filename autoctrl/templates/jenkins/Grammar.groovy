/** What a declarative Jenkinsfile may hold: sections, conditions, options, steps, each with its arguments. */
class Grammar {
    static final Set PIPELINE = [
        'agent', 'stages', 'environment', 'post', 'tools', 'options', 'parameters', 'triggers', 'libraries',
    ]
    static final Set CONTENT = ['steps', 'stages', 'parallel', 'matrix']
    static final Set STAGE = CONTENT + ['agent', 'when', 'post', 'options', 'input', 'tools', 'environment', 'failFast']
    static final Set MATRIX = [
        'axes', 'excludes', 'stages', 'agent', 'when', 'post', 'options', 'input', 'tools', 'environment',
    ]
    static final List POST = [ // in the order in which they run
        'always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful',
        'notBuilt', 'cleanup',
    ]
    static final Set TOOLS = ['jdk', 'maven', 'gradle', 'ant', 'git', 'nodejs']

    /** The arguments that a name takes: the first may stand alone, without its name; a block may follow. */
    static Map takes(String first = null, List others = [], List required = [], boolean block = false) {
        [first: first, named: (first ? [first] : []) + others, required: required, block: block]
    }

    /** As ``takes``, for what needs its first argument. */
    static Map needs(String first, List others = [], boolean block = false) { takes(first, others, [first], block) }

    static Map wraps(String first = null, List others = []) { takes(first, others, [], true) }

    static final Map PROPERTIES = [ // what becomes configuration of the job when a build runs
        buildDiscarder: needs('strategy'),
        copyArtifactPermission: needs('projectNames'),
        disableConcurrentBuilds: takes(null, ['abortPrevious']),
        disableResume: takes(),
        durabilityHint: needs('hint'),
        overrideIndexTriggers: takes('enable'),
        quietPeriod: needs('quietPeriod'),
        rateLimitBuilds: takes('throttle'),
    ]
    static final Map WRAPPERS = [
        ansiColor: needs('colorMapName'),
        lock: takes('resource', ['label', 'quantity', 'inversePrecedence', 'skipIfLocked']),
        retry: needs('count', ['conditions']),
        skipDefaultCheckout: takes('value'),
        timeout: needs('time', ['unit', 'activity']),
        timestamps: takes(),
    ]
    static final Map OPTIONS = PROPERTIES + WRAPPERS + [
        checkoutToSubdirectory: needs('subdirectory'),
        disableRestartFromStage: takes(),
        newContainerPerStage: takes(),
        parallelsAlwaysFailFast: takes(),
        preserveStashes: takes('buildCount'),
        skipStagesAfterUnstable: takes('value'),
    ]
    static final Map TRIGGERS = [
        cron: needs('spec'),
        pollSCM: needs('scmpoll_spec', ['ignorePostCommitHooks']),
        upstream: needs('upstreamProjects', ['threshold']),
    ]
    static final Map PARAMETERS = ['string', 'booleanParam', 'choice', 'text', 'password'].collectEntries {
        [it, takes(null, ['name', 'defaultValue', 'description', 'trim', 'choices'], ['name'])]
    }
    static final Map LIBRARIES = [lib: needs('library')]
    static final Set GATES = ['beforeAgent', 'beforeInput', 'beforeOptions']
    static final Set NESTING = ['allOf', 'anyOf', 'not']
    static final Map WHEN = [
        branch: needs('pattern', ['comparator']),
        buildingTag: takes(),
        changelog: needs('pattern', ['comparator']),
        changeRequest: takes(null, ['id', 'target', 'branch', 'fork', 'url', 'title', 'author', 'comparator']),
        changeset: takes('pattern', ['glob', 'comparator', 'caseSensitive']),
        environment: takes(null, ['name', 'value', 'ignoreCase'], ['name', 'value']),
        equals: takes(null, ['expected', 'actual'], ['expected', 'actual']),
        isRestartedRun: takes(),
        tag: takes('pattern', ['comparator']),
        triggeredBy: needs('cause', ['detail']),
    ]
    static final Set INPUT = ['message', 'ok', 'id', 'submitter', 'submitterParameter', 'parameters']

    static final Set SHELLS = ['sh', 'bat', 'powershell', 'pwsh']
    static final Map STEPS = SHELLS.collectEntries {
        [it, needs('script', ['returnStatus', 'returnStdout', 'encoding', 'label'])]
    } + [
        ansiColor: needs('colorMapName', [], true),
        archiveArtifacts: needs('artifacts', [
            'allowEmptyArchive', 'caseSensitive', 'defaultExcludes', 'excludes', 'fingerprint', 'followSymlinks', 'onlyIfSuccessful',
        ]),
        build: needs('job', ['parameters', 'wait', 'propagate', 'quietPeriod', 'waitForStart']),
        catchError: wraps(null, ['buildResult', 'stageResult', 'message', 'catchInterruptions']),
        checkout: needs('scm', ['changelog', 'poll']),
        cleanWs: takes(null, ['deleteDirs', 'notFailBuild', 'patterns', 'disableDeferredWipeout']),
        deleteDir: takes(),
        dir: needs('path', [], true),
        echo: needs('message'),
        error: needs('message'),
        fileExists: needs('file'),
        git: needs('url', ['branch', 'changelog', 'credentialsId', 'poll']),
        input: needs('message', ['id', 'ok', 'submitter', 'parameters', 'submitterParameter']),
        isUnix: takes(),
        junit: needs('testResults', [
            'allowEmptyResults', 'checksName', 'healthScaleFactor', 'keepLongStdio', 'keepProperties', 'keepTestNames', 'skipMarkingBuildUnstable',
            'skipOldReports', 'skipPublishingChecks', 'stdioRetention', 'testDataPublishers',
        ]),
        lock: wraps('resource', ['label', 'quantity', 'inversePrecedence', 'skipIfLocked', 'variable']),
        mail: takes(null, ['to', 'cc', 'bcc', 'from', 'replyTo', 'subject', 'body', 'charset', 'mimeType'], ['subject', 'body']),
        milestone: takes('ordinal', ['label']),
        node: wraps('label'),
        pwd: takes(null, ['tmp']),
        readFile: needs('file', ['encoding']),
        retry: needs('count', ['conditions'], true),
        script: wraps(),
        sleep: needs('time', ['unit']),
        stash: needs('name', ['includes', 'excludes', 'allowEmpty', 'useDefaultExcludes']),
        timeout: needs('time', ['unit', 'activity'], true),
        timestamps: wraps(),
        tool: needs('name', ['type']),
        unstable: needs('message'),
        unstash: needs('name'),
        waitUntil: wraps(null, ['initialRecurrencePeriod', 'quiet']),
        warnError: needs('message', ['catchInterruptions'], true),
        withCredentials: needs('bindings', [], true),
        withEnv: needs('overrides', [], true),
        writeFile: takes('file', ['text', 'encoding'], ['file', 'text']),
        ws: needs('dir', [], true),
    ]
    static final Set BLOCKED = ['stage', 'parallel', 'properties'] // as steps
    static final Set SCRIPTED = ['stage', 'parallel'] // what script { } may call all the same
    static final Set VALUES = [ // what describes something, as an argument
        'string', 'booleanParam', 'text', 'password', 'file', 'usernamePassword', 'usernameColonPassword', 'sshUserPrivateKey', 'certificate', 'zip',
        'logRotator', 'scmGit',
    ]

    // What Groovy may do where it is free. Anything else could start a program or open a file on the machine that checks.
    static final Set METHODS = [
        'add', 'addAll', 'any', 'collect', 'collectEntries', 'contains', 'containsKey', 'drop', 'each', 'eachWithIndex', 'endsWith', 'equals', 'every',
        'find', 'findAll', 'first', 'get', 'indexOf', 'isEmpty', 'isInteger', 'join', 'keySet', 'last', 'length', 'minus', 'plus', 'put', 'readLines',
        'replace', 'replaceAll', 'size', 'sort', 'split', 'startsWith', 'stripIndent', 'stripMargin', 'substring', 'take', 'toInteger', 'toLowerCase',
        'toString', 'toUpperCase', 'tokenize', 'trim', 'unique', 'values',
    ]
    static final Set HIDDEN = [
        'binding', 'class', 'classLoader', 'delegate', 'directive', 'metaClass', 'owner', 'properties', 'resolveStrategy', 'super', 'this', 'thisObject',
    ]
    static final Set CASTS = ['String', 'Integer', 'int', 'boolean', 'Boolean', 'List', 'Map']
}
