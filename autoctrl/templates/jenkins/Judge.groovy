import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.ModuleNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.syntax.Types

/** One call of a Jenkinsfile as its tree has it: name, arguments, block. */
class Call {
    String name
    int line
    List<Expression> positional = []
    Map<String, Expression> named = [:]
    ClosureExpression block

    static Call of(ASTNode node) {
        def expression = node instanceof ExpressionStatement ? node.expression : node
        if (!(expression instanceof MethodCallExpression) || !expression.implicitThis || !(expression.method instanceof ConstantExpression)) return null
        def call = new Call(name: expression.methodAsString, line: expression.lineNumber)
        def given = expression.arguments instanceof TupleExpression ? expression.arguments.expressions : [expression.arguments]
        given.each { call.take(it) }
        call
    }
    private void take(Expression given) {
        if (given instanceof MapExpression && !(given.getClass() == MapExpression && given.lineNumber < 0 && !given.mapEntryExpressions)) {
            if (given instanceof NamedArgumentListExpression || isNames(given)) { given.mapEntryExpressions.each { named[it.keyExpression.text] = it.valueExpression }; return }
        }
        if (given instanceof ClosureExpression && block == null) block = given
        else positional << given
    }
    private static boolean isNames(MapExpression given) { given.mapEntryExpressions && given.mapEntryExpressions.every { it.keyExpression instanceof ConstantExpression } }
    List<Expression> getValues() { positional + named.values() }
    List<Statement> getBody() { Judge.statements(block) }
    String getText() { positional && positional[0] instanceof ConstantExpression ? positional[0].value as String : null }
}

/** Holds the tree of one Jenkinsfile to the grammar; what it finds is kept. */
class Judge {
    Set known = []
    List<Map> findings = []
    List<String> stages = []

    void find(int line, String text, String rule = 'jenkins') { findings << [line: line, rule: rule, text: text] }

    static List<Statement> statements(ClosureExpression block) {
        def code = block?.code
        code instanceof BlockStatement ? code.statements.findAll { !(it instanceof EmptyStatement) } : (code ? [code] : [])
    }

    void judge(ModuleNode module) {
        def annotated = module.classes.findAll { it.annotations } + module.imports.findAll { it.annotations } + module.classes*.methods.flatten().findAll { it.annotations }
        if (annotated) find(1, 'An annotation such as @Library or @Grab is not taken: it would run code before the file is read.')
        if (module.imports || module.starImports || module.staticImports || module.staticStarImports) find(1, 'An import is not taken.')
        if (module.classes.size() > 1) find(module.classes[1].lineNumber, 'A class is not taken.')
        module.methods.each { find(it.lineNumber, "The function ${it.name} stands outside of pipeline { }.") }
        def calls = module.statementBlock.statements.collect { [it, Call.of(it)] }
        calls.findAll { it[1]?.name != 'pipeline' }.each { find(it[0].lineNumber, 'Only pipeline { } may stand at the top.') }
        def pipelines = calls*.get(1).findAll { it?.name == 'pipeline' }
        if (!pipelines) find(1, 'There is no pipeline { }.')
        pipelines.drop(1).each { find(it.line, 'There is more than one pipeline { }.') }
        pipelines.take(1).each { pipeline(it) }
    }

    /** Return the calls of a block by name; whatever is no call, empty, unknown or twice is found. */
    Map<String, Call> sections(Call owner, Set names, String what) {
        def found = [:]
        calls(owner).each { call ->
            if (!(call.name in names)) find(call.line, "Undefined ${what} \"${call.name}\".${near(call.name, names)}")
            else if (found.containsKey(call.name)) find(call.line, "Multiple occurrences of the ${call.name} ${what}.")
            else found[call.name] = call
        }
        found
    }

    List<Call> calls(Call owner) {
        if (!onlyBlock(owner)) return []
        if (!owner.body) find(owner.line, "The section ${owner.name} is empty.")
        owner.body.collect { statement ->
            def call = Call.of(statement)
            if (call == null) find(statement.lineNumber, "In ${owner.name} { } this is no definition of anything.")
            call
        }.findAll()
    }

    boolean onlyBlock(Call call) {
        if (call.block == null) find(call.line, "${call.name} needs a block: ${call.name} { }.")
        else if (call.positional || call.named) find(call.line, "${call.name} takes a block and nothing else.")
        call.block != null
    }

    static String near(String word, Collection names) {
        def close = names.find { it.equalsIgnoreCase(word) } ?: names.findAll { it.size() > 3 && (it.startsWith(word) || word.startsWith(it) || it.toSet() == word.toSet()) }.min()
        close ? " Did you mean ${close}?" : ''
    }

    void pipeline(Call call) {
        def found = sections(call, Grammar.PIPELINE, 'section')
        if (!call.block) return
        ['agent', 'stages'].findAll { !found[it] }.each { find(call.line, "Missing required section \"${it}\".") }
        common(found, Grammar.OPTIONS)
        if (found.parameters) listed(found.parameters, Grammar.PARAMETERS, 'parameter')
        if (found.triggers) listed(found.triggers, Grammar.TRIGGERS, 'trigger')
        if (found.libraries) listed(found.libraries, [lib: Grammar.takes('library', [], ['library'])], 'library')
        ['parameters', 'triggers'].findAll { found[it] }.each { find(found[it].line, "The section ${it} ${Grammar.OWNER}.", 'project') }
        if (found.stages) stages(found.stages, false)
    }

    /** Judge the sections that a pipeline, a stage and a matrix have in common. */
    void common(Map<String, Call> found, Map options) {
        if (found.agent) agent(found.agent)
        if (found.environment) environment(found.environment)
        if (found.post) post(found.post)
        if (found.options) this.options(found.options, options)
        if (found.tools) calls(found.tools).each { tool ->
            if (!(tool.name in Grammar.TOOLS + known)) find(tool.line, "Undefined tool \"${tool.name}\".")
            if (tool.text == null) find(tool.line, "The tool ${tool.name} needs the name of an installation.")
        }
        if (found.when) when(found.when)
        if (found.input) {
            def parts = sections(found.input, Grammar.INPUT.keySet() + ['parameters'], 'part of input')
            if (!parts.message) find(found.input.line, 'input needs a message.')
            if (parts.parameters) listed(parts.parameters, Grammar.PARAMETERS, 'parameter')
        }
    }

    void agent(Call call) {
        if (call.block == null) {
            def isWord = call.positional.size() == 1 && !call.named && call.positional[0] instanceof VariableExpression
            if (!isWord || !(call.positional[0].name in ['any', 'none'])) find(call.line, "agent is any, none, { label '…' } or { node { … } }.")
            return
        }
        if (call.positional || call.named) { find(call.line, 'agent takes one of a word and a block.'); return }
        def kinds = calls(call)
        if (kinds.size() > 1) find(call.line, 'agent names more than one kind of agent.')
        kinds.take(1).each { kind ->
            if (kind.name == 'label') labelled(kind)
            else if (kind.name == 'node') node(kind)
            else if (!(kind.name in known)) find(kind.line, "There is no agent \"${kind.name}\" without its plugin; with it, say --known ${kind.name}.")
        }
    }

    void labelled(Call call) {
        if (call.positional.size() != 1 || !isText(call.positional[0]) || call.text == '') find(call.line, "label needs the label of a node as text.")
    }

    void node(Call call) {
        def parts = sections(call, ['label', 'customWorkspace'] as Set, 'part of node')
        if (!parts.label) find(call.line, 'node needs a label.')
        parts.values().each { labelled(it) }
    }

    static boolean isText(Expression given) { given instanceof GStringExpression || (given instanceof ConstantExpression && given.value instanceof String) }

    void environment(Call call) {
        if (!onlyBlock(call)) return
        if (!call.body) find(call.line, 'The section environment is empty.')
        def seen = [] as Set
        call.body.each { statement ->
            def set = statement instanceof ExpressionStatement ? statement.expression : null
            if (!(set instanceof BinaryExpression) || set instanceof DeclarationExpression || set.operation.type != Types.EQUAL || !(set.leftExpression instanceof VariableExpression)) {
                find(statement.lineNumber, "environment holds NAME = 'value' and nothing else.")
                return
            }
            if (!seen.add(set.leftExpression.name)) find(statement.lineNumber, "${set.leftExpression.name} is set twice.")
            if (!isSetting(set.rightExpression)) find(statement.lineNumber, "${set.leftExpression.name} is neither a text nor credentials('…').")
        }
    }

    boolean isSetting(Expression value) {
        if (value instanceof GStringExpression) return value.values.every { isPath(it) }
        def call = Call.of(value)
        isText(value) || (call?.name == 'credentials' && call.text && !call.named && call.positional.size() == 1)
    }

    static boolean isPath(Expression value) {
        value instanceof VariableExpression || (value instanceof PropertyExpression && value.getClass() == PropertyExpression && !(value.propertyAsString in Grammar.HIDDEN) && isPath(value.objectExpression))
    }

    void post(Call call) { sections(call, Grammar.POST as Set, 'post condition').values().each { steps(it) } }

    void options(Call call, Map allowed) {
        listed(call, allowed, 'option')
        if (!call.block) return
        call.body.collect { Call.of(it) }.findAll { it && it.name in Grammar.PROPERTIES.keySet() }.each { find(it.line, "The option ${it.name} ${Grammar.OWNER}.", 'project') }
    }

    /** Judge calls that stand in a list, each at most once where they are options or triggers. */
    void listed(Call owner, Map allowed, String what) {
        def seen = [] as Set
        calls(owner).each { call ->
            if (!seen.add(call.name) && what in ['option', 'trigger']) find(call.line, "Multiple occurrences of the ${what} ${call.name}.")
            if (allowed[call.name]) { arguments(call, allowed[call.name]); call.values.each { value(it, call.line) } }
            else if (!(call.name in known)) find(call.line, "Undefined ${what} \"${call.name}\".${near(call.name, allowed.keySet())}")
        }
    }

    void arguments(Call call, Map spec) {
        if (call.positional.size() > (spec.first ? 1 : 0)) find(call.line, "${call.name} takes ${spec.first ? 'one argument without a name' : 'no argument without a name'}.")
        call.named.keySet().findAll { !(it in spec.named) }.each { find(call.line, "${call.name} has no argument ${it}.${near(it, spec.named)}") }
        def given = call.named.keySet() + (call.positional && spec.first ? [spec.first] : [])
        if (call.positional && spec.first in call.named.keySet()) find(call.line, "${call.name} is given ${spec.first} twice.")
        spec.required.findAll { !(it in given) }.each { find(call.line, "${call.name} needs ${it}.") }
        if (spec.block && !call.block) find(call.line, "${call.name} needs a block.")
        if (!spec.block && call.block) find(call.line, "${call.name} takes no block.")
    }

    void stages(Call call, boolean isParallel) {
        def names = [] as Set
        calls(call).each { stage ->
            if (stage.name != 'stage') { find(stage.line, "${call.name} holds stages; this is ${stage.name}."); return }
            if (!stage.text || stage.positional.size() != 1 || stage.named) find(stage.line, "A stage has a name: stage('…') { }.")
            else if (!names.add(stage.text)) find(stage.line, "Duplicate stage name: \"${stage.text}\".")
            if (stage.text) stages << stage.text
            if (!stage.block) find(stage.line, 'A stage needs a block.')
            else this.stage(new Call(name: 'stage', line: stage.line, block: stage.block), isParallel)
        }
    }

    void stage(Call call, boolean isParallel) {
        def found = sections(call, Grammar.STAGE, 'section')
        def content = Grammar.CONTENT.findAll { found[it] }
        if (content.size() != 1) find(call.line, "A stage has exactly one of steps, stages, parallel and matrix; this one has ${content ? content.join(' and ') : 'none'}.")
        common(found, Grammar.WRAPPERS)
        def isBranching = found.parallel || found.matrix
        if (isBranching) ['agent', 'tools'].findAll { found[it] }.each { find(found[it].line, "A stage with parallel or matrix has no ${it}.") }
        if (isBranching && isParallel) find(call.line, 'Within parallel or matrix there is no further one.')
        if (found.failFast) failFast(found.failFast, isBranching)
        if (found.steps) steps(found.steps)
        if (found.stages) stages(found.stages, isParallel)
        if (found.parallel) stages(found.parallel, true)
        if (found.matrix) matrix(found.matrix)
    }

    void failFast(Call call, Object isBranching) {
        if (!isBranching) find(call.line, 'failFast belongs to parallel or matrix.')
        if (call.positional.size() != 1 || !(call.positional[0] instanceof ConstantExpression) || !(call.positional[0].value instanceof Boolean)) find(call.line, 'failFast is true or false.')
    }

    void matrix(Call call) {
        def found = sections(call, Grammar.MATRIX, 'section')
        ['axes', 'stages'].findAll { !found[it] }.each { find(call.line, "matrix needs ${it}.") }
        common(found, Grammar.WRAPPERS)
        if (found.axes) calls(found.axes).each { axis(it, false) }
        if (found.excludes) calls(found.excludes).each { exclude ->
            if (exclude.name != 'exclude') find(exclude.line, 'excludes holds exclude { }.')
            else calls(exclude).each { axis(it, true) }
        }
        if (found.stages) stages(found.stages, true)
    }

    void axis(Call call, boolean isExcluded) {
        if (call.name != 'axis') { find(call.line, 'Only axis { } may stand here.'); return }
        def parts = sections(call, (['name', 'values'] as Set) + (isExcluded ? ['notValues'] : []), 'part of axis')
        if (!parts.name?.text) find(call.line, 'An axis has a name.')
        if (!parts.values && !parts.notValues) find(call.line, 'An axis has values.')
        [parts.values, parts.notValues].findAll().each { if (!it.positional || !it.positional.every { value -> isText(value) }) find(it.line, 'The values of an axis are texts.') }
    }

    void when(Call call) {
        def all = calls(call)
        if (all && all.every { it.name in Grammar.GATES }) find(call.line, 'when has no condition.')
        all.each { condition(it) }
    }

    void condition(Call call) {
        if (call.name in Grammar.GATES) {
            if (call.positional.size() != 1 || !(call.positional[0] instanceof ConstantExpression) || !(call.positional[0].value instanceof Boolean)) find(call.line, "${call.name} is true or false.")
        } else if (call.name in Grammar.NESTING) {
            def inner = calls(call)
            if (call.name == 'not' && inner.size() > 1) find(call.line, 'not takes one condition.')
            inner.each { condition(it) }
        } else if (call.name == 'expression') {
            if (onlyBlock(call)) call.body ? script(call.block) : find(call.line, 'expression is empty.')
        } else if (Grammar.WHEN[call.name]) {
            arguments(call, Grammar.WHEN[call.name])
            call.values.each { value(it, call.line) }
        } else if (!(call.name in known)) find(call.line, "Undefined condition \"${call.name}\".${near(call.name, Grammar.WHEN.keySet())}")
    }

    void steps(Call owner) {
        if (!onlyBlock(owner)) return
        if (!owner.body) find(owner.line, "${owner.name} { } has no steps.")
        owner.body.each { step(it) }
    }

    void step(Statement statement) {
        def call = Call.of(statement)
        if (call == null) { find(statement.lineNumber, "Expected a step: ${describe(statement)} needs script { }."); return }
        if (call.name in Grammar.BLOCKED) { find(call.line, "Invalid step \"${call.name}\" used - not allowed in this context."); return }
        named(call)
        call.values.each { value(it, call.line) }
        if (call.block && call.name == 'script') script(call.block)
        else if (call.block) call.body.each { step(it) }
    }

    static String describe(Statement statement) {
        def what = statement instanceof ExpressionStatement ? statement.expression : null
        if (what instanceof DeclarationExpression) return 'a definition'
        if (what instanceof BinaryExpression) return 'an assignment'
        if (what instanceof MethodCallExpression) return 'a call of a method on an object'
        what ? 'an expression' : statement.getClass().simpleName.replaceAll('Statement|Catch', '').toLowerCase()
    }

    /** Judge name and arguments of a step, wherever it is called. */
    void named(Call call) {
        def spec = Grammar.STEPS[call.name]
        if (!spec) {
            if (!(call.name in known)) find(call.line, "There is no step \"${call.name}\".${near(call.name, Grammar.STEPS.keySet())} One that a plugin brings is named by --known.")
            return
        }
        arguments(call, spec)
        if (call.block && call.name != 'waitUntil' && !call.body) find(call.line, "${call.name} { } has no steps.")
        if (call.name in Grammar.SHELLS) command(call)
    }

    void command(Call call) {
        def script = call.named.script ?: (call.positional ? call.positional[0] : null)
        if (script instanceof GStringExpression) find(call.line, "${call.name} is given a text in double quotes, into which Groovy puts values that the shell then executes. Use single quotes and \"\$NAME\" of the environment.", 'project')
        else if (script && !(script instanceof ConstantExpression && script.value instanceof String)) find(call.line, "${call.name} is given a text that is put together. Write it in single quotes and take values from the environment.", 'project')
    }

    /** Judge an argument outside of script { }: constants, paths of names, and calls of steps or of what describes something. */
    void value(Expression given, int line) {
        if (given instanceof ConstantExpression || isPath(given)) return
        if (given instanceof GStringExpression) { given.values.each { value(it, line) }; return }
        if (given instanceof ListExpression) { given.expressions.each { value(it, line) }; return }
        if (given instanceof MapExpression) { given.mapEntryExpressions.each { value(it.valueExpression, line) }; return }
        if (given instanceof UnaryMinusExpression && given.expression instanceof ConstantExpression) return
        def call = Call.of(given)
        if (call == null) { find(line, 'An argument is a constant or a name; anything else needs script { }.'); return }
        if (call.name in Grammar.BLOCKED || !(call.name in Grammar.VALUES + Grammar.STEPS.keySet() + known)) find(line, "There is nothing called \"${call.name}\" here.")
        else if (Grammar.STEPS[call.name]) named(call)
        if (call.block) find(line, "${call.name} takes no block here.")
        call.values.each { value(it, line) }
    }

    void script(ClosureExpression block) { block.code.visit(new Scripted(judge: this)) }
}

/** Walks through script { } and expression { }, where Groovy is free but for what could reach the machine that checks. */
class Scripted extends CodeVisitorSupport {
    Judge judge
    private void refuse(ASTNode node, String what) { judge.find(node.lineNumber, "${what} is not taken, because the check executes the file.") }

    void visitMethodCallExpression(MethodCallExpression call) {
        if (!(call.method instanceof ConstantExpression)) refuse(call, 'A call whose name is computed')
        else if (call.implicitThis) step(call)
        else if (!(call.methodAsString in Grammar.METHODS)) refuse(call, "The method ${call.methodAsString}")
        if (!call.implicitThis) call.objectExpression.visit(this)
        call.method.visit(this)
        call.arguments.visit(this)
    }
    private void step(MethodCallExpression expression) {
        def call = Call.of(expression)
        if (call.name == 'properties') judge.find(call.line, "What the step properties sets ${Grammar.OWNER}.", 'project')
        else if (!(call.name in Grammar.VALUES + Grammar.SCRIPTED)) judge.named(call)
    }
    void visitConstructorCallExpression(ConstructorCallExpression call) { refuse(call, "new ${call.type.name}"); super.visitConstructorCallExpression(call) }
    void visitStaticMethodCallExpression(StaticMethodCallExpression call) { refuse(call, "The method ${call.method}") }
    void visitMethodPointerExpression(MethodPointerExpression pointer) { refuse(pointer, 'A pointer to a method') }
    void visitAttributeExpression(AttributeExpression attribute) { refuse(attribute, 'A field') }
    void visitClassExpression(ClassExpression expression) { refuse(expression, "The class ${expression.type.name}") }
    void visitPropertyExpression(PropertyExpression property) {
        if (!(property.property instanceof ConstantExpression) || property.propertyAsString in Grammar.HIDDEN) refuse(property, "The property ${property.propertyAsString}")
        super.visitPropertyExpression(property)
    }
    void visitVariableExpression(VariableExpression variable) { if (variable.name in ['this', 'super'] + Grammar.HIDDEN) refuse(variable, variable.name) }
    void visitCastExpression(CastExpression cast) {
        if (!(cast.type.name in Grammar.CASTS)) refuse(cast, "The conversion to ${cast.type.name}")
        super.visitCastExpression(cast)
    }
}
