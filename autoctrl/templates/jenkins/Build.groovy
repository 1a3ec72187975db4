/** A build that only pretends: it executes a Jenkinsfile whose commands all end with the same exit code, and notes what it would do. */
class Build {
    static final List RESULTS = ['SUCCESS', 'UNSTABLE', 'FAILURE']
    static final Set VARIABLES = [
        'BUILD_ID', 'BUILD_NUMBER', 'BUILD_TAG', 'BUILD_URL', 'JOB_NAME', 'JOB_BASE_NAME', 'JOB_URL', 'JENKINS_URL', 'NODE_NAME', 'NODE_LABELS',
        'EXECUTOR_NUMBER', 'WORKSPACE', 'WORKSPACE_TMP', 'BRANCH_NAME', 'GIT_COMMIT', 'GIT_BRANCH', 'GIT_URL', 'STAGE_NAME', 'PATH', 'HOME', 'CI',
    ]
    // The order of a build, whatever that of the file.
    static final List ORDER = ['environment', 'agent', 'options', 'tools', 'when', 'input', 'stages', 'parallel', 'matrix', 'steps', 'post']
    int exit
    String result = 'SUCCESS'
    Map<String, String> stages = [:]
    List<String> sh = []
    private Map variables = [:]
    private String stage = ''
    private boolean isOver

    /** Execute the block of a pipeline or a stage, section by section. */
    void run(Closure block) {
        def found = sections(block)
        ORDER.each { name ->
            if (found[name] && name == 'post') post(found.post[-1] as Closure)
            else if (found[name]) attempt { section(name, found[name] as List) }
        }
    }

    /** Return the arguments of the calls in a block by their names, without executing what they hold. */
    static Map<String, List> sections(Closure block) {
        def found = [:]
        within(block, new Stub(call: { String name, List given -> found[name] = given; null }, get: { it }))
        found
    }

    static Object within(Closure block, Stub stub) {
        def copy = block.rehydrate(stub, stub, stub)
        copy.resolveStrategy = Closure.DELEGATE_ONLY
        copy.call()
    }

    private void section(String name, List given) {
        if (!given || !(given[-1] instanceof Closure)) return // agent any
        def block = given[-1] as Closure
        if (name in ['stages', 'parallel', 'matrix']) within(block, new Stub(call: { String inner, List words -> inside(name, inner, words) }, get: this.&read))
        else if (name == 'steps') steps(block)
        else if (name == 'environment') within(block, new Stub(call: { String inner, List words -> '****' }, get: this.&read, set: this.&write))
        else within(block, describing())
    }

    private Object inside(String place, String name, List given) {
        if (name == 'stages') section(name, given)
        else if (name == 'stage' && place == 'parallel') branch(given)
        else if (name == 'stage' && !isOver) enter(given[0] as String, given[-1] as Closure)
        null
    }

    private void branch(List given) { // which begins though one beside it has failed
        def wasOver = isOver
        isOver = false
        enter(given[0] as String, given[-1] as Closure)
        isOver = isOver || wasOver
    }

    private void enter(String name, Closure block) {
        def outer = stage
        stage = name
        stages[name] = 'SUCCESS'
        run(block)
        stage = outer
        worsen(result, stages[name])
    }

    /** Answer what describes something and does nothing: options, conditions, arguments. */
    private Stub describing() {
        Stub stub
        stub = new Stub(get: this.&read, call: { String name, List words ->
            words.findAll { it instanceof Closure }.each { name == 'expression' ? steps(it) : within(it, stub) }
        })
    }

    private Object steps(Closure block) { within(block, new Stub(call: this.&step, get: this.&read, set: this.&write)) }

    private void post(Closure block) {
        def ended = (stage ? stages[stage] : result).toLowerCase()
        def due = ['always', 'changed', 'cleanup', ended] + (ended == 'success' ? ['fixed'] : ['regression', 'unsuccessful'])
        def found = sections(block)
        Grammar.POST.findAll { it in due && found[it] }.each { name -> attempt { steps(found[name][-1] as Closure) } }
    }

    private void attempt(Closure work) {
        try { work() }
        catch (Failed failed) {
            isOver = true // no further stage begins
            worsen('FAILURE', 'FAILURE')
        }
    }

    private void worsen(String build, String ofStage) {
        if (RESULTS.indexOf(build) > RESULTS.indexOf(result)) result = build
        if (stage && RESULTS.indexOf(ofStage) > RESULTS.indexOf(stages[stage])) stages[stage] = ofStage
    }

    private Object read(String name) {
        if (name in ['any', 'none', 'scm']) return name
        if (name == 'env') return new Stub(get: this.&variable, set: this.&write)
        if (name == 'params') return new Stub(get: { '' })
        if (name == 'currentBuild') return new Stub(get: { it in ['result', 'currentResult'] ? result : it }, set: { String key, Object value -> null })
        def value = variable(name)
        if (value == null) throw new MissingPropertyException("nothing is called ${name}")
        value
    }

    private Object variable(String name) { variables.containsKey(name) ? variables[name] : (name in VARIABLES ? name : null) }

    private void write(String name, Object value) { variables[name] = value instanceof GString ? value as String : value }

    private Object step(String name, List given) {
        def block = given && given[-1] instanceof Closure ? given[-1] as Closure : null
        def named = given && given[0] instanceof Map ? given[0] as Map : [:]
        def first = given ? given.find { !(it instanceof Map) && !(it instanceof Closure) } : null
        if (name in Grammar.SHELLS) return shell((named.script ?: first) as String, named)
        if (name in ['catchError', 'warnError']) return caught(named, name == 'warnError' ? ['UNSTABLE', 'UNSTABLE'] : ['FAILURE', 'SUCCESS'], block)
        if (name == 'error') throw new Failed()
        if (name == 'unstable') worsen('UNSTABLE', 'UNSTABLE')
        if (name == 'parallel') named.values().findAll { it instanceof Closure }.each { steps(it as Closure) }
        if (name in Grammar.VALUES) return named
        if (name in ['fileExists', 'isUnix']) return true
        if (name in ['readFile', 'pwd', 'tool']) return ''
        block ? steps(block) : null
    }

    private Object shell(String line, Map named) {
        sh << line
        if (named.returnStatus) return exit
        if (exit) throw new Failed()
        named.returnStdout ? '' : null
    }

    private Object caught(Map named, List otherwise, Closure block) {
        try { steps(block) }
        catch (Failed failed) { worsen((named.buildResult ?: otherwise[0]) as String, (named.stageResult ?: otherwise[1]) as String) }
    }

    /** Stands for Jenkins in a block: whatever is called, read or set there is handed on. */
    static class Stub {
        private Map<String, Closure> answers
        Stub(Map<String, Closure> answers) { this.@answers = answers }
        Object invokeMethod(String name, Object given) { this.@answers.call.call(name, given as List) }
        Object getProperty(String name) { this.@answers.get.call(name) }
        void setProperty(String name, Object value) { this.@answers.set.call(name, value) }
    }

    static class Failed extends RuntimeException { }
}
