import org.codehaus.groovy.ast.ModuleNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.syntax.Types

/** Holds the sections of one Jenkinsfile to the grammar, and has its steps judged. */
class Judge {
    Set known // what plugins bring
    Findings findings = new Findings()
    List<String> stages = []
    private Steps steps

    Judge(Set known) {
        this.known = known
        steps = new Steps(known: known, findings: findings)
    }

    void judge(ModuleNode module) {
        refuseForeign(module)
        def calls = []
        module.statementBlock.statements.findAll { it.lineNumber > 0 }.each { statement ->
            def call = Call.of(statement)
            if (call?.name == 'pipeline') calls << call
            else findings.add(statement.lineNumber, 'Only pipeline { } may stand at the top.')
        }
        if (!calls) findings.add(1, 'There is no pipeline { }.')
        calls.drop(1).each { findings.add(it.line, 'There is more than one pipeline { }.') }
        calls.take(1).each { pipeline(it) }
        if (findings.isTaken) module.statementBlock.visit(new Safety(findings: findings)) // it will be executed
    }

    private void refuseForeign(ModuleNode module) {
        def annotated = (module.imports + module.classes + module.classes*.methods.flatten()).any { it.annotations }
        if (annotated) findings.add(1, 'An annotation such as @Library or @Grab is not taken: it would run code before the file is read.')
        if (module.imports || module.starImports || module.staticImports || module.staticStarImports) findings.add(1, 'An import is not taken.')
        module.classes.drop(1).each { findings.add(it.lineNumber, 'A class is not taken.') }
        module.methods.each { findings.add(it.lineNumber, "The function ${it.name} stands outside of pipeline { }.") }
    }

    /** Return the calls of a block by name; whatever is no call, unknown or there twice is found. */
    private Map<String, Call> sections(Call owner, Collection names, String what) {
        def found = [:]
        calls(owner).each { call ->
            if (!(call.name in names)) findings.addUnknown(call, what, names)
            else if (found.containsKey(call.name)) findings.add(call.line, "Multiple occurrences of the ${call.name} ${what}.")
            else found[call.name] = call
        }
        found
    }

    private List<Call> calls(Call owner) {
        if (!steps.hasOnlyBlock(owner)) return []
        if (!owner.body) findings.add(owner.line, "The section ${owner.name} is empty.")
        owner.body.collect { statement ->
            def call = Call.of(statement)
            if (call == null) findings.add(statement.lineNumber, "In ${owner.name} { } this is no definition of anything.")
            call
        }.findAll()
    }

    private void pipeline(Call call) {
        def found = sections(call, Grammar.PIPELINE, 'section')
        if (!call.block) return
        ['agent', 'stages'].findAll { !found[it] }.each { findings.add(call.line, "Missing required section \"${it}\".") }
        judgeShared(found, Grammar.OPTIONS)
        if (found.parameters) list(found.parameters, Grammar.PARAMETERS, 'parameter')
        if (found.triggers) list(found.triggers, Grammar.TRIGGERS, 'trigger')
        if (found.libraries) list(found.libraries, Grammar.LIBRARIES, 'library')
        [found.parameters, found.triggers].findAll().each { findings.addOwned(it.line, "The section ${it.name}") }
        if (found.stages) stages(found.stages, false)
    }

    /** Judge the sections that a pipeline, a stage and a matrix have in common. */
    private void judgeShared(Map<String, Call> found, Map options) {
        if (found.agent) agent(found.agent)
        if (found.environment) environment(found.environment)
        if (found.post) sections(found.post, Grammar.POST, 'post condition').values().each { steps.block(it) }
        if (found.options) this.options(found.options, options)
        if (found.tools) calls(found.tools).each { tool(it) }
        if (found.when) when(found.when)
        if (found.input) input(found.input)
    }

    private void agent(Call call) {
        if (call.block == null) {
            def isWord = call.isOne && call.positional[0] instanceof VariableExpression && call.positional[0].name in ['any', 'none']
            if (!isWord) findings.add(call.line, "agent is any, none, { label '…' } or { node { … } }.")
            return
        }
        def kinds = calls(call)
        if (kinds.size() > 1) findings.add(call.line, 'agent names more than one kind of agent.')
        kinds.take(1).each { kind ->
            if (kind.name == 'label') text(kind)
            else if (kind.name == 'node') node(kind)
            else if (!(kind.name in known)) {
                findings.add(kind.line, "There is no agent \"${kind.name}\" without its plugin; with it, say --known ${kind.name}.")
            }
        }
    }

    private void node(Call call) {
        def parts = sections(call, ['label', 'customWorkspace'], 'part of node')
        if (!parts.label) findings.add(call.line, 'node needs a label.')
        parts.values().each { text(it) }
    }

    /** Judge what takes one text, into which names may be put. */
    private void text(Call call) {
        if (!call.isOne || !Steps.isText(call.positional[0]) || call.text == '') findings.add(call.line, "${call.name} needs a text and nothing else.")
    }

    private void tool(Call call) {
        if (!(call.name in Grammar.TOOLS + known)) findings.addUnknown(call, 'tool', Grammar.TOOLS)
        text(call)
    }

    private void environment(Call call) {
        if (!steps.hasOnlyBlock(call)) return
        if (!call.body) findings.add(call.line, 'The section environment is empty.')
        def seen = [] as Set
        call.body.each { statement ->
            def set = statement instanceof ExpressionStatement ? statement.expression : null
            if (!isAssignment(set)) { findings.add(statement.lineNumber, "environment holds NAME = 'value' and nothing else."); return }
            def name = set.leftExpression.name
            if (!seen.add(name)) findings.add(statement.lineNumber, "${name} is set twice.")
            if (!isSetting(set.rightExpression)) findings.add(statement.lineNumber, "${name} is neither a text nor credentials('…').")
        }
    }

    private static boolean isAssignment(Expression set) {
        set instanceof BinaryExpression && !(set instanceof DeclarationExpression) && set.operation.type == Types.EQUAL &&
            set.leftExpression instanceof VariableExpression
    }

    private static boolean isSetting(Expression value) {
        def call = Call.of(value)
        Steps.isText(value) || (call?.name == 'credentials' && call.text && !call.block)
    }

    private void options(Call call, Map allowed) {
        list(call, allowed, 'option')
        call.body.collect { Call.of(it) }.findAll { it && Grammar.PROPERTIES[it.name] }.each { findings.addOwned(it.line, "The option ${it.name}") }
    }

    /** Judge calls that stand in a list, options and triggers each at most once. */
    private void list(Call owner, Map allowed, String what) {
        def seen = [] as Set
        calls(owner).each { call ->
            if (!seen.add(call.name) && what in ['option', 'trigger']) findings.add(call.line, "Multiple occurrences of the ${what} ${call.name}.")
            if (allowed[call.name]) steps.arguments(call, allowed[call.name])
            else if (!(call.name in known)) findings.addUnknown(call, what, allowed.keySet())
        }
    }

    private void input(Call call) {
        def parts = sections(call, Grammar.INPUT, 'part of input')
        if (!parts.message) findings.add(call.line, 'input needs a message.')
        parts.each { name, part -> name == 'parameters' ? list(part, Grammar.PARAMETERS, 'parameter') : text(part) }
    }

    private void when(Call call) {
        def all = calls(call)
        if (all && all.every { it.name in Grammar.GATES }) findings.add(call.line, 'when has no condition.')
        all.each { condition(it) }
    }

    private void condition(Call call) {
        if (call.name in Grammar.GATES) { if (!call.switch) findings.add(call.line, "${call.name} is true or false.") }
        else if (call.name in Grammar.NESTING) {
            def inner = calls(call)
            if (call.name == 'not' && inner.size() > 1) findings.add(call.line, 'not takes one condition.')
            inner.each { condition(it) }
        }
        else if (call.name == 'expression') { if (steps.hasOnlyBlock(call)) steps.script(call) }
        else if (Grammar.WHEN[call.name]) steps.arguments(call, Grammar.WHEN[call.name])
        else if (!(call.name in known)) findings.addUnknown(call, 'condition', Grammar.WHEN.keySet())
    }

    /** Judge what holds stages; ``isParallel``: it stands in parallel or matrix. */
    private void stages(Call call, boolean isParallel) {
        def names = [] as Set
        calls(call).each { stage ->
            if (stage.name != 'stage') { findings.add(stage.line, "${call.name} holds stages; this is ${stage.name}."); return }
            if (!stage.text) findings.add(stage.line, "A stage has a name: stage('…') { }.")
            else if (!names.add(stage.text)) findings.add(stage.line, "Duplicate stage name: \"${stage.text}\".")
            else stages << stage.text
            this.stage(new Call(name: 'stage', line: stage.line, block: stage.block), isParallel)
        }
    }

    private void stage(Call call, boolean isParallel) {
        def found = sections(call, Grammar.STAGE, 'section')
        if (!call.block) return
        def content = Grammar.CONTENT.findAll { found[it] }
        if (content.size() != 1) {
            def has = content ? content.join(' and ') : 'none'
            findings.add(call.line, "A stage has exactly one of steps, stages, parallel and matrix; this one has ${has}.")
        }
        judgeShared(found, Grammar.WRAPPERS)
        if (found.failFast) failFast(found)
        if (found.parallel || found.matrix) branching(call, found, isParallel)
        if (found.steps) steps.block(found.steps)
        if (found.stages) stages(found.stages, isParallel)
    }

    private void failFast(Map<String, Call> found) {
        if (!found.parallel && !found.matrix) findings.add(found.failFast.line, 'failFast belongs to parallel or matrix.')
        if (!found.failFast.switch) findings.add(found.failFast.line, 'failFast is true or false.')
    }

    private void branching(Call call, Map<String, Call> found, boolean isParallel) {
        [found.agent, found.tools].findAll().each { findings.add(it.line, "A stage with parallel or matrix has no ${it.name}.") }
        if (isParallel) findings.add(call.line, 'Within parallel or matrix there is no further one.')
        if (found.parallel) stages(found.parallel, true)
        if (found.matrix) matrix(found.matrix)
    }

    private void matrix(Call call) {
        def found = sections(call, Grammar.MATRIX, 'section')
        ['axes', 'stages'].findAll { !found[it] }.each { findings.add(call.line, "matrix needs ${it}.") }
        judgeShared(found, Grammar.WRAPPERS)
        if (found.axes) calls(found.axes).each { axis(it, ['name', 'values']) }
        if (found.excludes) calls(found.excludes).each { exclude -> calls(exclude).each { axis(it, ['name', 'values', 'notValues']) } }
        if (found.stages) stages(found.stages, true)
    }

    private void axis(Call call, List allowed) {
        if (call.name != 'axis') { findings.add(call.line, "Only axis { } may stand here, not ${call.name}."); return }
        def parts = sections(call, allowed, 'part of axis')
        if (!parts.name?.text) findings.add(call.line, 'An axis has a name.')
        if (!parts.values && !parts.notValues) findings.add(call.line, 'An axis has values.')
        [parts['values'], parts.notValues].findAll().each { values ->
            if (!values.positional || values.named || !values.positional.every { Steps.isText(it) }) findings.add(values.line, 'The values of an axis are texts.')
        }
    }
}
