package feature

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
)

// Evaluate computes a constant expression such as `3 * (4 + 1)`.
func Evaluate(expression string) (string, error) {
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
	if err != nil {
		return "", err
	}
	if value.Value == nil {
		return "", fmt.Errorf("%s is no constant", expression)
	}
	return value.Value.ExactString(), nil
}

// Names lists the identifiers of an expression.
func Names(expression string) ([]string, error) {
	tree, err := parser.ParseExpr(expression)
	if err != nil {
		return nil, err
	}
	var names []string
	ast.Inspect(tree, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok {
			names = append(names, name.Name)
		}
		return true
	})
	return names, nil
}

// Same tells whether two literals have one value.
func Same(a, b string) bool {
	left := constant.MakeFromLiteral(a, token.INT, 0)
	right := constant.MakeFromLiteral(b, token.INT, 0)
	return constant.Compare(left, token.EQL, right)
}
