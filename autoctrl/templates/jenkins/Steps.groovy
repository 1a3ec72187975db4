import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** Holds steps and their arguments to the grammar. */
class Steps {
    static final String QUOTES = 'Groovy puts values into a text in double quotes, and the shell executes what they hold. Use single quotes, and "$NAME" of the environment.'
    static final String SUM = 'The command is put together. Write it in single quotes, and take values from the environment.'
    Set known
    Findings findings

    /** Judge a block of steps, as below steps and post. */
    void block(Call owner) {
        if (!hasOnlyBlock(owner)) return
        if (!owner.body) findings.add(owner.line, "${owner.name} { } has no steps.")
        owner.body.each { step(it) }
    }

    boolean hasOnlyBlock(Call call) {
        if (call.block == null) findings.add(call.line, "${call.name} needs a block: ${call.name} { }.")
        else if (call.values) findings.add(call.line, "${call.name} takes a block and nothing else.")
        call.block != null
    }

    private void step(Statement statement) {
        def call = Call.of(statement)
        if (call == null) { findings.add(statement.lineNumber, "Expected a step: ${describe(statement)} needs script { }."); return }
        if (call.name in Grammar.BLOCKED) { findings.add(call.line, "Invalid step \"${call.name}\" used - not allowed in this context."); return }
        named(call)
        if (!Grammar.STEPS[call.name]) call.values.each { value(it, call.line) }
        if (call.name == 'script' && call.block) script(call)
        else call.body.each { step(it) }
    }

    private static String describe(Statement statement) {
        def what = statement instanceof ExpressionStatement ? statement.expression : null
        if (what instanceof DeclarationExpression) return 'a definition'
        if (what instanceof BinaryExpression) return 'an assignment'
        if (what instanceof MethodCallExpression) return 'a call of a method on an object'
        what ? 'an expression' : statement.class.simpleName.replaceAll('Statement|Catch', '').toLowerCase()
    }

    /** Judge the name and the arguments of a step outside of script { }. */
    private void named(Call call) {
        if (Grammar.STEPS[call.name]) arguments(call, Grammar.STEPS[call.name])
        else if (!(call.name in known)) unknown(call)
        if (call.name in Grammar.SHELLS) command(call)
    }

    private void unknown(Call call) {
        findings.add(call.line, "There is no step \"${call.name}\".${Findings.near(call.name, Grammar.STEPS.keySet())} One that a plugin brings is named by --known.")
    }

    private void command(Call call) {
        def script = call.named.script ?: call.positional.find()
        if (script instanceof GStringExpression) findings.add(call.line, QUOTES, 'project')
        else if (script && !(script instanceof ConstantExpression)) findings.add(call.line, SUM, 'project')
    }

    /** Judge the arguments of a call: which there are, and that each is a constant, a name or a call of what is known. */
    void arguments(Call call, Map spec) {
        shape(call, spec)
        call.values.each { value(it, call.line) }
    }

    private void shape(Call call, Map spec) {
        def alone = spec.first && call.positional ? [spec.first] : []
        if (call.positional.size() > (spec.first ? 1 : 0)) {
            findings.add(call.line, "${call.name} takes ${spec.first ? 'one argument' : 'no argument'} without a name.")
        }
        call.named.keySet().findAll { !(it in spec.named) }.each {
            findings.add(call.line, "${call.name} has no argument ${it}.${Findings.near(it, spec.named)}")
        }
        if (alone.any { it in call.named.keySet() }) findings.add(call.line, "${call.name} is given ${spec.first} twice.")
        spec.required.findAll { !(it in call.named.keySet() + alone) }.each { findings.add(call.line, "${call.name} needs ${it}.") }
        if (spec.block && !call.block) findings.add(call.line, "${call.name} needs a block.")
        if (spec.block && call.block && !call.body) findings.add(call.line, "${call.name} { } has no steps.")
        if (!spec.block && call.block) findings.add(call.line, "${call.name} takes no block.")
    }

    private void value(Expression given, int line) {
        if (given instanceof ConstantExpression || isPath(given)) return
        if (given instanceof GStringExpression) given.values.each { value(it, line) }
        else if (given instanceof ListExpression) given.expressions.each { value(it, line) }
        else if (given instanceof MapExpression) given.mapEntryExpressions.each { value(it.valueExpression, line) }
        else called(Call.of(given), line)
    }

    private void called(Call call, int line) {
        if (call == null) { findings.add(line, 'An argument is a constant or a name; anything else needs script { }.'); return }
        def spec = Grammar.STEPS[call.name]
        if (spec) arguments(call, spec)
        else if (call.name in Grammar.VALUES + known) call.values.each { value(it, line) }
        else findings.add(line, "There is nothing called \"${call.name}\" here.")
    }

    /** Whether it is a text, into which nothing but names is put. */
    static boolean isText(Expression given) {
        if (given instanceof GStringExpression) return given.values.every { isPath(it) }
        given instanceof ConstantExpression && given.value instanceof String
    }

    /** Whether it is a name, or names joined by dots. */
    static boolean isPath(Expression given) {
        if (given instanceof PropertyExpression) return isPath(given.objectExpression) && given.property instanceof ConstantExpression
        given instanceof VariableExpression
    }

    /** Judge the steps that script { } and expression { } call, wherever they stand among Groovy. */
    void script(Call owner) {
        if (!owner.body) findings.add(owner.line, "${owner.name} { } is empty.")
        owner.block.code.visit(new CodeVisitorSupport() {
            @Override
            void visitMethodCallExpression(MethodCallExpression expression) {
                def call = Call.of(expression)
                if (call) scripted(call)
                super.visitMethodCallExpression(expression)
            }
        })
    }

    private void scripted(Call call) {
        if (call.name == 'properties') findings.addOwned(call.line, 'What the step properties sets')
        else if (Grammar.STEPS[call.name]) shape(call, Grammar.STEPS[call.name])
        else if (!(call.name in Grammar.VALUES + Grammar.SCRIPTED + known)) unknown(call)
        if (call.name in Grammar.SHELLS) command(call)
    }
}
