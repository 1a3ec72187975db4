import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.expr.*

/** Refuses what could reach the machine that checks: the file is executed, and its author may be anybody. */
class Safety extends CodeVisitorSupport {
    Findings findings

    private void refuse(ASTNode node, String what) {
        findings.add(node.lineNumber, "${what} is not taken, because the check executes the file.")
    }

    @Override
    void visitMethodCallExpression(MethodCallExpression call) {
        if (!(call.method instanceof ConstantExpression)) refuse(call, 'A call whose name is computed')
        else if (!call.implicitThis && !(call.methodAsString in Grammar.METHODS)) refuse(call, "The method ${call.methodAsString}")
        if (!call.implicitThis) call.objectExpression.visit(this)
        call.method.visit(this)
        call.arguments.visit(this)
    }

    @Override
    void visitPropertyExpression(PropertyExpression property) {
        def name = property.property instanceof ConstantExpression ? property.propertyAsString : null
        if (name == null || name in Grammar.HIDDEN) refuse(property, "The property ${name ?: 'whose name is computed'}")
        super.visitPropertyExpression(property)
    }

    @Override
    void visitVariableExpression(VariableExpression variable) {
        if (variable.name in Grammar.HIDDEN) refuse(variable, "The name ${variable.name}")
    }

    @Override
    void visitClosureExpression(ClosureExpression closure) {
        if (closure.parameters.any { it.annotations || it.hasInitialExpression() }) refuse(closure, 'A parameter with an annotation or a default')
        super.visitClosureExpression(closure)
    }

    @Override
    void visitDeclarationExpression(DeclarationExpression declaration) {
        if (declaration.annotations) refuse(declaration, 'An annotation')
        super.visitDeclarationExpression(declaration)
    }

    @Override
    void visitCastExpression(CastExpression cast) {
        if (!(cast.type.nameWithoutPackage in Grammar.CASTS)) refuse(cast, "The conversion to ${cast.type.name}")
        super.visitCastExpression(cast)
    }

    @Override
    void visitConstructorCallExpression(ConstructorCallExpression call) { refuse(call, "new ${call.type.name}") }

    @Override
    void visitStaticMethodCallExpression(StaticMethodCallExpression call) { refuse(call, "The method ${call.method}") }

    @Override
    void visitMethodPointerExpression(MethodPointerExpression pointer) { refuse(pointer, 'A pointer to a method') }

    @Override
    void visitAttributeExpression(AttributeExpression attribute) { refuse(attribute, 'A field') }

    @Override
    void visitClassExpression(ClassExpression type) { refuse(type, "The class ${type.type.name}") }
}
