// Runs what `sections.groovy`, which stands before this, has read.

// The variables of a build as `env` shows them.
class Variables {
    Run run
    def propertyMissing(String name) { run.variable(name) }
    def propertyMissing(String name, value) { run.overlay[name] = value == null ? '' : "${value}".toString() }
    def getAt(String name) { run.variable(name) }
}

// The assignments of an environment section.
class Assignments {
    Run run
    Map found = [:]
    Map bound = [:]
    def credentials(String id) { new Bound(id: id) }
    def methodMissing(String name, args) { throw new Wrong("Environment variable values must be strings or credentials, not ${name}()") }
    def getProperty(String name) {
        if (name in ['run', 'found', 'bound', 'metaClass', 'class']) return this.@"$name"
        if (name == 'env') return new Variables(run: run)
        if (name == 'params') return run.params
        if (found.containsKey(name)) return found[name]
        def value = run.variable(name)
        if (value == null) throw new Stop('FAILURE', "groovy.lang.MissingPropertyException: No such property: ${name}")
        value
    }
    void setProperty(String name, value) {
        if (value instanceof Bound) bound[name] = value.id
        else if (value instanceof CharSequence) found[name] = value.toString()
        else throw new Wrong("Environment variable \"${name}\" must be a string or credentials")
    }
}

class Bound { String id; String variable; String kind = 'string' }

class Condition {
    Run run
    List found = []
    def branch(String glob) { found << (run.glob(glob, run.variable('BRANCH_NAME') ?: '')) }
    def environment(Map args) { found << (run.variable(args.name) == args.value) }
    def equals(Map args) { found << (args.expected == args.actual) }
    def expression(Closure closure) { found << (run.call(closure, new Steps(run: run, isScript: true)) as boolean) }
    def not(Closure closure) { found << !inner(closure).every() }
    def allOf(Closure closure) { found << inner(closure).every() }
    def anyOf(Closure closure) { found << inner(closure).any() }
    def beforeAgent(boolean ignored) { }
    List inner(Closure closure) {
        def condition = new Condition(run: run)
        Run.call(closure, condition)
        if (!condition.found) throw new Wrong('Empty when closure, remove the property or add some content')
        condition.found
    }
    def methodMissing(String name, args) {
        if (name in ['tag', 'buildingTag', 'changelog', 'changeset', 'changeRequest', 'triggeredBy', 'isRestartedRun', 'beforeInput', 'beforeOptions']) throw new Unknown("the condition ${name}")
        throw new Wrong("Unknown conditional ${name}")
    }
    def propertyMissing(String name) { run.named(name) }
}

class Steps {
    Run run
    boolean isScript = false
    def propertyMissing(String name) { run.named(name) }
    def methodMissing(String name, args) {
        if (name in Grammar.BLOCKED) throw new Wrong("Invalid step \"${name}\" used - not allowed in this context")
        if (isScript && run.script.metaClass.respondsTo(run.script, name, args as Object[])) return run.script.invokeMethod(name, args)
        throw new Unknown("the step ${name}")
    }
    def within(Closure closure) { Run.call(closure, this) }
    def sh(String text) { sh(script: text) }
    def sh(Map args) {
        if (args.keySet() - ['script', 'returnStatus', 'returnStdout', 'label', 'encoding']) throw new Wrong("sh: unknown parameters in ${args.keySet()}")
        def done = run.shell(args.script.toString(), args.returnStdout as boolean, args.returnStatus as boolean)
        if (args.returnStatus) return done.status
        if (done.status != 0) throw new Stop('FAILURE', "script returned exit code ${done.status}")
        args.returnStdout ? done.output : null
    }
    def echo(Object text) { run.log(text.toString()) }
    def error(String text) { throw new Stop('FAILURE', text) }
    def unstable(String text) { run.log("WARNING: ${text}"); run.worsen('UNSTABLE') }
    def script(Closure closure) { Run.call(closure, new Steps(run: run, isScript: true)) }
    def withEnv(List pairs, Closure closure) {
        def added = pairs.collectEntries { it.toString().split('=', 2) as List }
        run.with(added, [:]) { within(closure) }
    }
    def string(Map args) { new Bound(id: args.credentialsId, variable: args.variable) }
    def file(Map args) { new Bound(id: args.credentialsId, variable: args.variable, kind: 'file') }
    def usernamePassword(Map args) { throw new Unknown('usernamePassword') }
    def withCredentials(List bindings, Closure closure) {
        def bound = bindings.collectEntries { [(it.variable): [id: it.id, kind: it.kind]] }
        run.bind(bound)
        run.with([:], bound) { within(closure) }
    }
    def dir(String path, Closure closure) {
        def before = run.directory
        run.directory = new File(path).absolute ? path : "${before}/${path}".toString()
        new File(run.directory).mkdirs()
        try { within(closure) } finally { run.directory = before }
    }
    def timeout(Map args, Closure closure) { run.limited(args) { within(closure) } }
    def retry(int times, Closure closure) { run.repeated(times) { within(closure) } }
    def catchError(Closure closure) { catchError([:], closure) }
    def catchError(Map args, Closure closure) {
        run.guarded(args.buildResult ?: 'FAILURE', args.stageResult ?: args.buildResult ?: 'FAILURE', args.message) { within(closure) }
    }
    def warnError(String text, Closure closure) { run.guarded('UNSTABLE', 'UNSTABLE', text) { within(closure) } }
    def junit(String pattern) { junit(testResults: pattern) }
    def junit(Map args) {
        def told = run.files('junit', args.testResults)
        if (!told.found && !args.allowEmptyResults) throw new Stop('FAILURE', 'No test report files were found. Configuration error?')
        if (told.failed) run.worsen('UNSTABLE')
    }
    def archiveArtifacts(String pattern) { archiveArtifacts(artifacts: pattern) }
    def archiveArtifacts(Map args) {
        def told = run.files('artifacts', args.artifacts)
        if (!told.found && !args.allowEmptyArchive) throw new Stop('FAILURE', "No artifacts found that match the file pattern \"${args.artifacts}\". Configuration error?")
    }
    def checkout(Object what) { run.checkout() }
    def deleteDir() { new File(run.directory).deleteDir() }
    def fileExists(String path) { new File(run.directory, path).exists() }
    def readFile(String path) { new File(run.directory, path).getText('UTF-8') }
    def writeFile(Map args) { new File(run.directory, args.file).setText(args.text, 'UTF-8') }
    def pwd() { run.directory }
    def isUnix() { true }
}

class CurrentBuild {
    Run run
    def getResult() { run.result == 'SUCCESS' ? null : run.result }
    void setResult(String value) { run.worsen(value) }
    String getCurrentResult() { run.result }
    int getNumber() { run.variable('BUILD_NUMBER') as int }
    def getPreviousBuild() { run.previous ? [result: run.previous] : null }
    String displayName = ''
    String description = ''
}

class Run {
    static List RESULTS = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    Script script
    Map base, overlay = [:], bound = [:], params
    String previous, directory, workspace, result = 'SUCCESS', stageResult = 'SUCCESS'
    boolean isPlan, hasScm
    List path = [], guards = []
    String condition = ''
    Long deadline
    int guardCount = 0
    Map values = [:]

    static Object call(Closure closure, Object delegate) {
        def copy = closure.clone() as Closure
        copy.delegate = delegate
        copy.resolveStrategy = Closure.DELEGATE_ONLY
        copy.call()
    }
    def variable(String name) {
        if (overlay.containsKey(name)) return overlay[name]
        if (values.containsKey(name)) return values[name]
        base[name]
    }
    def named(String name) {
        if (name == 'env') return new Variables(run: this)
        if (name == 'params') return params
        if (name == 'currentBuild') return new CurrentBuild(run: this)
        if (name == 'scm') {
            if (!hasScm) throw new Stop('FAILURE', '‘checkout scm’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”')
            return 'scm'
        }
        if (script.binding.hasVariable(name)) return script.binding.getVariable(name)
        def value = variable(name)
        if (value == null) throw new Stop('FAILURE', "groovy.lang.MissingPropertyException: No such property: ${name}")
        value
    }
    boolean glob(String pattern, String name) {
        java.nio.file.FileSystems.default.getPathMatcher("glob:${pattern}").matches(java.nio.file.Paths.get(name))
    }
    void log(String text) { Wire.tell([do: 'log', text: text]) }
    static String worse(String one, String other) { RESULTS.indexOf(other) > RESULTS.indexOf(one) ? other : one }
    void worsen(String value) { result = worse(result, value); stageResult = worse(stageResult, value) }
    def with(Map variables, Map secrets, Closure inside) {
        def before = [overlay.clone(), bound.clone()]
        overlay.putAll(variables)
        bound.putAll(secrets)
        try { inside() } finally { (overlay, bound) = before }
    }
    void bind(Map secrets) {
        secrets.each { name, one ->
            def told = Wire.ask([do: 'credential', id: one.id, kind: one.kind])
            if (told.error) throw new Stop('FAILURE', told.error)
            values[name] = told.value
        }
    }
    Map shell(String text, boolean stdout, boolean status) {
        def left = deadline == null ? null : Math.max(0, deadline - System.currentTimeMillis()) / 1000
        def told = Wire.ask([do: 'sh', script: text, env: overlay, bound: bound, stdout: stdout,
                             returns: status, directory: directory, seconds: left,
                             stage: path.join('/'), post: condition, guards: guards])
        if (told.aborted) throw new Stop('ABORTED', told.aborted)
        told
    }
    Map files(String kind, String pattern) { Wire.ask([do: kind, pattern: pattern, directory: directory]) }
    void checkout() {
        if (!hasScm) named('scm')
        def told = Wire.ask([do: 'checkout', directory: directory])
        if (told.error) throw new Stop('FAILURE', told.error)
        overlay.putAll(told.env)
    }
    def limited(Map args, Closure inside) {
        def units = [SECONDS: 1, MINUTES: 60, HOURS: 3600, DAYS: 86400]
        def end = System.currentTimeMillis() + (args.time as long) * (units[args.unit ?: 'MINUTES'] as long) * 1000
        def before = deadline
        deadline = before == null ? end : Math.min(before, end)
        try { inside() } finally { deadline = before }
    }
    def repeated(int times, Closure inside) {
        for (int count = 1; ; count++) {
            try { return inside() }
            catch (Stop stop) {
                if (count >= times || stop.result == 'ABORTED') throw stop
                log("ERROR: ${stop.message}"); log('Retrying')
            }
        }
    }
    void guarded(String build, String stage, String text, Closure inside) {
        guards = guards + [[id: ++guardCount, build: build, stage: stage]]
        try { inside() }
        catch (Stop stop) {
            if (stop.result == 'ABORTED') throw stop
            if (text) log(text)
            log("ERROR: ${stop.message}")
            result = worse(result, build)
            stageResult = worse(stageResult, build) // `stage` is for those who look at the stages
        } finally { guards = guards[0..<-1] }
    }
    def assigned(Block block, Closure inside) {
        def closure = block.body('environment')
        if (!closure) return inside()
        def assignments = new Assignments(run: this)
        Run.call(closure, assignments)
        if (!assignments.found && !assignments.bound) throw new Wrong('No variables specified for environment')
        def secrets = assignments.bound.collectEntries { name, id -> [(name): [id: id, kind: 'string']] }
        bind(secrets)
        with(assignments.found, secrets, inside)
    }
    def wrapped(Block block, List allowed, Closure inside) {
        def options = Calls.of(block.body('options'), 'option', allowed)
        def limit = options.find { it.name == 'timeout' }
        def again = options.find { it.name == 'retry' }
        def core = again ? { -> repeated(again.args[0] as int, inside) } : inside
        limit ? limited(limit.args[0] as Map, core) : core()
    }
    // Runs what may stop, notes the result, and returns whether all may go on.
    boolean attempt(Closure inside) {
        try { inside(); return true }
        catch (Stop stop) {
            if (stop.message) log("ERROR: ${stop.message}")
            worsen(stop.result)
            return false
        }
        catch (Wrong | Unknown mistake) { throw mistake }
        catch (Exception broken) {
            log(broken.toString())
            worsen('FAILURE')
            return false
        }
    }
    boolean fits(String name, String now) {
        switch (name) {
            case ['always', 'cleanup']: return true
            case 'changed': return !previous || previous != now
            case 'fixed': return now == 'SUCCESS' && previous in ['FAILURE', 'UNSTABLE']
            case 'regression': return now in ['FAILURE', 'UNSTABLE', 'ABORTED'] && previous == 'SUCCESS'
            case 'unsuccessful': return now != 'SUCCESS'
            case 'notBuilt': return now == 'NOT_BUILT'
            default: return name.toUpperCase() == now
        }
    }
    void post(Block block, Closure now) {
        def closure = block.body('post')
        if (!closure) return
        def sections = Block.of(closure, 'post')
        Grammar.SECTIONS.post.findAll { sections.found.containsKey(it) && (isPlan || fits(it, now())) }.each { name ->
            condition = name
            attempt { Run.call(sections.body(name), new Steps(run: this)) }
            condition = ''
        }
    }
    boolean isWanted(Stage stage) {
        def closure = stage.block.body('when')
        if (!closure) return true
        new Condition(run: this).inner(closure).every()
    }
    boolean runStage(Stage stage) {
        path << stage.name
        def outer = stageResult
        stageResult = 'SUCCESS'
        log("[Pipeline] { (${stage.name})")
        def goesOn = attempt {
            assigned(stage.block) {
                if (!isWanted(stage)) { log("Stage \"${stage.name}\" skipped due to when conditional"); return }
                def ran = attempt {
                    wrapped(stage.block, Grammar.STAGE_OPTIONS) {
                        if (stage.children) {
                            def done = runAll(stage.children, stage.block.found.containsKey('parallel'))
                            if (!done) throw new Stop(stageResult, '')
                        } else Run.call(stage.block.body('steps'), new Steps(run: this))
                    }
                }
                post(stage.block) { stageResult }
                if (!ran) throw new Stop(stageResult, '')
            }
        }
        stageResult = worse(outer, stageResult)
        path.remove(path.size() - 1)
        goesOn
    }
    boolean runAll(List stages, boolean isParallel) {
        def goesOn = true
        stages.each { stage ->
            if (goesOn || isParallel) goesOn = runStage(stage) & goesOn
            else log("Stage \"${stage.name}\" skipped due to earlier failure(s)")
        }
        goesOn
    }
    static Object defaultOf(Map parameter) {
        def choices = parameter.choices
        if (choices == null) return parameter.defaultValue
        (choices instanceof List ? choices : choices.toString().readLines())[0]
    }
    void start(Closure closure) {
        def block = Block.of(closure, 'pipeline')
        ['agent', 'stages'].each { if (!block.found.containsKey(it)) throw new Wrong("Missing required section \"${it}\"") }
        def stages = Stage.listOf(block.body('stages'), 'stages')
        if (block.found.post && !Block.of(block.body('post'), 'post').found) throw new Wrong('Post can not be empty')
        def options = Calls.of(block.body('options'), 'option', Grammar.OPTIONS)
        def parameters = Calls.of(block.body('parameters'), 'parameter', Grammar.PARAMETERS)
        Wire.tell([do: 'declare', agent: Agent.of(block.found.agent[0]), options: options,
                   triggers: Calls.of(block.body('triggers'), 'trigger', Grammar.TRIGGERS),
                   parameters: parameters])
        params = parameters.collectEntries { [(it.args[0].name): defaultOf(it.args[0])] } + params
        def names = options*.name
        attempt {
            assigned(block) {
                attempt {
                    wrapped(block, Grammar.OPTIONS) {
                        if (hasScm && !('skipDefaultCheckout' in names)) checkout()
                        def done = runAll(stages, false)
                        if (!done) throw new Stop(result, '')
                    }
                }
                stageResult = result
                post(block) { result }
            }
        }
    }
}

abstract class Jenkinsfile extends Script {
    private Run machine
    private boolean hasPipeline = false
    void attach(Run run) { this.@machine = run }
    boolean isDeclarative() { this.@hasPipeline }
    void pipeline(Closure closure) {
        if (this.@hasPipeline) throw new Wrong('Only one pipeline { ... } block can be executed in a single run.')
        this.@hasPipeline = true
        this.@machine.start(closure)
    }
}

def configuration = new CompilerConfiguration()
configuration.scriptBaseClass = 'Jenkinsfile'
while (true) {
    def order = Wire.read()
    def end = [do: 'end', result: 'FAILURE', wrong: null, unknown: null]
    try {
        def shell = new GroovyShell(this.class.classLoader, new Binding(), configuration)
        def file = shell.parse(order.jenkinsfile as String, 'WorkflowScript.groovy')
        def run = new Run(script: file, base: order.environment, params: order.parameters, previous: order.previous,
                          directory: order.workspace, workspace: order.workspace, isPlan: order.plan, hasScm: order.scm)
        file.attach(run)
        file.run()
        if (!file.isDeclarative()) end.unknown = 'a scripted pipeline'
        end.result = run.result
    }
    catch (Wrong | org.codehaus.groovy.control.CompilationFailedException wrong) { end.wrong = wrong.message }
    catch (Unknown unknown) { end.unknown = unknown.message }
    catch (Throwable broken) { end.wrong = broken.toString() }
    Wire.tell(end)
}
