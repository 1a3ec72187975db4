// Judges declarative Jenkinsfiles: groovy check.groovy [--known NAME,NAME] FILE...
// Each file is parsed and held to the grammar; what passes is executed three times by a pretended build, whose commands end with 0, 1 and 2.
// Two lines of JSON per file: {begins}, then {file, findings: [{line, rule, text}], stages, builds: [{exit, result, stages, sh}]}.
// The rule is "groovy" (it is no Groovy), "jenkins" (Jenkins would refuse it), "project" (it belongs elsewhere) or "build" (a build would break).
import groovy.json.JsonOutput
import groovy.transform.Field
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.codehaus.groovy.control.Phases

@Field static final String NAME = 'Judged.groovy' // whatever a file is called, no class of ours is

abstract class Executed extends Script {
    void pipeline(Closure block) { (binding.getVariable('build') as Build).run(block) }
}

Map judgeFile(File file, Set known) {
    def judge = new Judge(known)
    def builds = []
    try {
        def unit = new CompilationUnit(new CompilerConfiguration())
        unit.addSource(NAME, file.getText('UTF-8'))
        unit.compile(Phases.CONVERSION)
        judge.judge(unit.AST.modules[0])
        if (judge.findings.isTaken) builds = pretend(file)
    } catch (MultipleCompilationErrorsException broken) {
        def cause = broken.errorCollector.errors[0].cause
        judge.findings.add(cause.hasProperty('line') ? cause.line : 1, firstLine(cause), 'groovy')
    } catch (Throwable broken) {
        judge.findings.add(1, "A build breaks with ${broken.class.simpleName}: ${firstLine(broken)}", 'build')
    }
    [file: file.path, findings: judge.findings.all.sort { it.line }, stages: judge.stages, builds: builds]
}

String firstLine(Throwable broken) { (broken.message ?: '').readLines().take(1).join() }

List<Map> pretend(File file) {
    def configuration = new CompilerConfiguration()
    configuration.scriptBaseClass = Executed.name
    def type = new GroovyShell(this.class.classLoader, new Binding(), configuration).parse(file.getText('UTF-8'), NAME).class
    [0, 1, 2].collect { exit ->
        def build = new Build(exit: exit)
        def script = type.newInstance() as Script
        script.binding = new Binding([build: build])
        script.run()
        [exit: exit, result: build.result, stages: build.stages, sh: build.sh]
    }
}

def answers = System.out
System.out = System.err // what a Jenkinsfile prints is no answer
def words = args as List
def known = [] as Set
if (words && words[0] == '--known') {
    known = words[1].split(',') as Set
    words = words.drop(2)
}
words.each {
    answers.println(JsonOutput.toJson([begins: it]))
    answers.println(JsonOutput.toJson(judgeFile(new File(it), known)))
}
