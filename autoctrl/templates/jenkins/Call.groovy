import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** One call in a Jenkinsfile as its tree has it: name, arguments, block. */
class Call {
    String name
    int line
    List<Expression> positional = []
    Map<String, Expression> named = [:]
    ClosureExpression block

    /** Return the call that a statement or an expression is, null if it is none or one of a method on an object. */
    static Call of(ASTNode node) {
        def found = node instanceof ExpressionStatement ? node.expression : node
        def isCall = found instanceof MethodCallExpression && found.implicitThis && found.method instanceof ConstantExpression
        if (!isCall) return null
        def call = new Call(name: found.methodAsString, line: found.lineNumber)
        def given = found.arguments instanceof TupleExpression ? found.arguments.expressions : [found.arguments]
        given.each { call.take(it) }
        call
    }

    private void take(Expression given) {
        if (isNamed(given)) given.mapEntryExpressions.each { named[it.keyExpression.text] = it.valueExpression }
        else if (given instanceof ClosureExpression && block == null) block = given
        else positional << given
    }

    private static boolean isNamed(Expression given) {
        given instanceof MapExpression && given.mapEntryExpressions &&
            given.mapEntryExpressions.every { it.keyExpression instanceof ConstantExpression }
    }

    List<Expression> getValues() { positional + named.values() }

    /** The first argument if it is a constant text, else null. */
    String getText() { isOne && positional[0] instanceof ConstantExpression ? positional[0].value as String : null }

    /** Whether it is true or false and nothing else. */
    boolean isSwitch() { isOne && positional[0] instanceof ConstantExpression && positional[0].value instanceof Boolean }

    /** Whether it has one argument, without a name. */
    boolean getIsOne() { positional.size() == 1 && !named }

    List<Statement> getBody() {
        def code = block?.code
        code instanceof BlockStatement ? code.statements.findAll { !(it instanceof EmptyStatement) } : (code ? [code] : [])
    }
}
