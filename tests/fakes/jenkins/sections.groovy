// Runs declarative Jenkinsfiles, one after the other, for a program at the other end of stdin and
// stdout: each line is a message in JSON. The program runs what `sh` is given and keeps secrets; the
// meaning of sections, stages, post conditions and steps is here.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilerConfiguration

class Wrong extends Exception { Wrong(String text) { super(text) } }
class Unknown extends Exception { Unknown(String text) { super(text) } }
class Stop extends Exception {
    String result
    Stop(String result, String text) { super(text); this.result = result }
}

class Wire {
    static PrintStream out = System.out
    static BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, 'UTF-8'))
    static { System.setOut(System.err) } // what a Jenkinsfile prints is no message
    static void tell(Map message) { out.println(JsonOutput.toJson(message)); out.flush() }
    static Map read() {
        def line = lines.readLine()
        if (line == null) System.exit(0)
        new JsonSlurper().parseText(line) as Map
    }
    static Map ask(Map message) { tell(message); read() }
}

class Grammar {
    static Map SECTIONS = [
        pipeline: ['agent', 'stages', 'environment', 'post', 'tools', 'options', 'parameters',
                   'triggers', 'libraries'],
        stage: ['steps', 'stages', 'parallel', 'matrix', 'agent', 'when', 'post', 'options', 'input',
                'tools', 'environment', 'failFast'],
        post: ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success',
               'unstable', 'unsuccessful', 'notBuilt', 'cleanup'],
    ]
    static List UNSUPPORTED = ['tools', 'libraries', 'matrix', 'input']
    static List BODIES = ['steps', 'stages', 'parallel', 'matrix']
    static List OPTIONS = ['buildDiscarder', 'disableConcurrentBuilds', 'disableResume',
                           'skipDefaultCheckout', 'checkoutToSubdirectory', 'quietPeriod',
                           'skipStagesAfterUnstable', 'parallelsAlwaysFailFast',
                           'disableRestartFromStage', 'preserveStashes', 'timeout', 'retry',
                           'timestamps']
    static List STAGE_OPTIONS = ['skipDefaultCheckout', 'timeout', 'retry', 'timestamps']
    static List TRIGGERS = ['cron', 'pollSCM', 'upstream']
    static List PARAMETERS = ['string', 'booleanParam', 'choice', 'text', 'password']
    static List CONDITIONS = ['branch', 'environment', 'equals', 'expression', 'not', 'allOf',
                              'anyOf', 'beforeAgent']
    static List BLOCKED = ['stage', 'parallel', 'properties', 'node', 'input', 'pipeline']
}

// Notes the sections of a block, each of which may be there once.
class Block {
    String kind
    Map found = [:]
    def methodMissing(String name, args) {
        if (!(name in Grammar.SECTIONS[kind])) throw new Wrong("Undefined section \"${name}\"")
        if (name in Grammar.UNSUPPORTED) throw new Unknown("the section ${name}")
        if (found.containsKey(name)) throw new Wrong("Multiple occurrences of the ${name} section")
        found[name] = (args as List)
    }
    def propertyMissing(String name) {
        if (name in ['any', 'none']) return name
        throw new Wrong("Undefined section \"${name}\"")
    }
    Closure body(String name) {
        def value = found[name]?.getAt(0)
        if (value != null && !(value instanceof Closure)) throw new Wrong("Expected a block for ${name}")
        value
    }
    static Block of(Closure closure, String kind) {
        def block = new Block(kind: kind)
        Run.call(closure, block)
        block
    }
}

// Notes calls such as options, triggers and parameters; calls inside of calls give a map.
class Calls {
    String kind
    List allowed
    List found = []
    def methodMissing(String name, args) {
        if (name == 'logRotator') return [(name): args as List]
        if (!(name in allowed)) throw new Wrong("Invalid ${kind} type \"${name}\"")
        if (kind == 'option' && found.any { it.name == name }) throw new Wrong("Duplicate option name \"${name}\"")
        found << [name: name, args: args as List]
    }
    def propertyMissing(String name) { throw new Wrong("Invalid ${kind} \"${name}\"") }
    static List of(Closure closure, String kind, List allowed) {
        if (closure == null) return []
        def calls = new Calls(kind: kind, allowed: allowed)
        Run.call(closure, calls)
        if (!calls.found) throw new Wrong("No ${kind}s specified, the section must not be empty")
        calls.found
    }
}

class Agent {
    String label = ''
    void label(String name) { label = name }
    void customWorkspace(String path) { throw new Unknown('customWorkspace') }
    void node(Closure inner) { Run.call(inner, this) }
    def methodMissing(String name, args) { throw new Wrong("Invalid agent type \"${name}\"") }
    static String of(Object value) {
        if (value in ['any', 'none']) return ''
        def agent = new Agent()
        if (value instanceof Closure) Run.call(value, agent)
        if (!agent.label) throw new Wrong('No agent type specified')
        agent.label
    }
}

class Stage {
    String name
    Block block
    List children = []
    static List listOf(Closure closure, String where, boolean isParallel = false) {
        def list = new StageList()
        Run.call(closure, list)
        if (!list.found) throw new Wrong("No stages specified in ${where}")
        list.found.each { it.check(isParallel) }
        list.found
    }
    void check(boolean isParallel) {
        def bodies = Grammar.BODIES.findAll { block.found.containsKey(it) }
        if (bodies.size() != 1) throw new Wrong("Stage \"${name}\" needs exactly one of steps, stages, parallel or matrix")
        if (block.found.post) Block.of(block.body('post'), 'post').with { post ->
            if (!post.found) throw new Wrong('Post can not be empty')
        }
        Calls.of(block.body('options'), 'option', Grammar.STAGE_OPTIONS)
        if (block.found.agent) {
            if (bodies == ['parallel']) throw new Wrong("\"agent\" is not allowed in stage \"${name}\" as it contains parallel stages")
            Agent.of(block.found.agent[0])
        }
        if (bodies == ['parallel'] && isParallel) throw new Wrong('Parallel stages can not be nested')
        def body = bodies[0] == 'steps' ? null : block.body(bodies[0])
        if (body) children = Stage.listOf(body, "stage \"${name}\"", bodies == ['parallel'] || isParallel)
    }
}

class StageList {
    List found = []
    void stage(String name, Closure closure) {
        if (found.any { it.name == name }) throw new Wrong("Duplicate stage name: \"${name}\"")
        found << new Stage(name: name, block: Block.of(closure, 'stage'))
    }
    def methodMissing(String name, args) { throw new Wrong("Expected a stage, not \"${name}\"") }
    def propertyMissing(String name) { throw new Wrong("Expected a stage, not \"${name}\"") }
}
