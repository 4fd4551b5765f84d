package demarche

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
)

// maxCondition is the longest condition, in bytes. With it, no condition takes
// long to compile or to evaluate.
const maxCondition = 500

// condition is a compiled CEL expression. The nil condition always holds.
type condition struct {
	program cel.Program
	needs   packed // the questions it looks at
}

// holds evaluates a condition on answers.
func (d *Demarche) holds(c *condition, p packed) bool {
	if c == nil {
		return true
	}
	v, _, err := c.program.Eval(activation{d, p})
	return err == nil && v == types.True
}

// activation gives CEL the answers as string variables, "" where there is none.
type activation struct {
	d *Demarche
	p packed
}

func (a activation) ResolveName(name string) (any, bool) {
	i, ok := a.d.index[name]
	if !ok {
		return nil, false
	}
	if c := a.p.choice(i); c >= 0 {
		return a.d.questions[i].Choices[c].ID, true
	}
	return "", true
}

func (a activation) Parent() cel.Activation { return nil }

// compiler turns the conditions of one démarche into programs.
type compiler struct {
	env       *cel.Env
	questions []Question
	index     map[string]int
	compiled  map[scoped]*condition // the same condition often occurs many times
}

// scoped is an expression and how many questions it may look at.
type scoped struct {
	source string
	before int
}

// newCompiler makes a CEL environment that knows the questions as string
// variables, and of the language only what conditions need: comparing,
// choosing and combining. So every condition ends, and soon.
func newCompiler(questions []Question, index map[string]int) (*compiler, error) {
	allowed := []string{operators.Equals, operators.NotEquals, operators.In, operators.LogicalAnd,
		operators.LogicalOr, operators.LogicalNot, operators.Conditional}
	var functions []*decls.FunctionDecl
	for _, f := range stdlib.Functions() {
		if slices.Contains(allowed, f.Name()) {
			functions = append(functions, f)
		}
	}
	opts := []cel.EnvOption{cel.ClearMacros(), cel.FunctionDecls(functions...)}
	for id := range index {
		opts = append(opts, cel.Variable(id, cel.StringType))
	}
	env, err := cel.NewCustomEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("making the CEL environment: %w", err)
	}
	return &compiler{env, questions, index, map[scoped]*condition{}}, nil
}

// compile compiles an expression that may look at the first `before`
// questions. Its errors are French, for the author of the file.
func (c *compiler) compile(source string, before int) (*condition, error) {
	if known, ok := c.compiled[scoped{source, before}]; ok {
		return known, nil
	}
	if len(source) > maxCondition {
		return nil, fmt.Errorf("la condition dépasse %d caractères", maxCondition)
	}
	parsed, issues := c.env.Parse(source)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("la condition « %s » ne se lit pas%s", source, near(issues))
	}
	s := shape{compiler: c, before: before}
	s.boolean(parsed.NativeRep().Expr())
	if len(s.faults) > 0 {
		return nil, fmt.Errorf("la condition « %s » : %s", source, strings.Join(s.faults, " ; "))
	}
	checked, issues := c.env.Check(parsed)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("la condition « %s » ne se lit pas%s", source, near(issues))
	}
	program, err := c.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("la condition « %s » ne se compile pas : %w", source, err)
	}
	when := &condition{program, s.needs}
	c.compiled[scoped{source, before}] = when
	return when, nil
}

func near(issues *cel.Issues) string {
	for _, e := range issues.Errors() {
		return fmt.Sprintf(", près du caractère %d", e.Location.Column()+1)
	}
	return ""
}

// shape checks what an expression says: every comparison is between a question
// already asked and one of its answers, so that a misspelt answer is found.
type shape struct {
	*compiler
	before int
	needs  packed
	faults []string
}

func (s *shape) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// boolean checks an expression that must be true or false.
func (s *shape) boolean(e ast.Expr) {
	switch e.Kind() {
	case ast.LiteralKind:
		if e.AsLiteral().Type() == types.BoolType {
			return
		}
	case ast.CallKind:
		s.call(e.AsCall())
		return
	case ast.IdentKind:
		if _, ok := s.question(e.AsIdent()); !ok {
			return
		}
		s.fault("comparez « %s » à une réponse, par exemple %s == '…'", e.AsIdent(), e.AsIdent())
		return
	}
	s.fault("elle ne dit pas vrai ou faux")
}

func (s *shape) call(call ast.CallExpr) {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional:
		for _, arg := range args {
			s.boolean(arg)
		}
	case operators.Equals, operators.NotEquals:
		question, answer := args[0], args[1]
		if question.Kind() == ast.LiteralKind {
			question, answer = answer, question
		}
		s.comparison(question, []ast.Expr{answer})
	case operators.In:
		if args[1].Kind() != ast.ListKind {
			s.fault("après « in », donnez une liste de réponses : ['a', 'b']")
			return
		}
		s.comparison(args[0], args[1].AsList().Elements())
	default:
		if op, ok := operators.FindReverse(name); ok && op != "" {
			name = op
		}
		s.fault("« %s » n’est pas permis (seulement ==, !=, in, &&, ||, ! et ?:)", name)
	}
}

func (s *shape) comparison(question ast.Expr, answers []ast.Expr) {
	if question.Kind() != ast.IdentKind {
		s.fault("comparez une question à une réponse entre guillemets")
		return
	}
	q, ok := s.question(question.AsIdent())
	if !ok {
		return
	}
	for _, answer := range answers {
		if answer.Kind() != ast.LiteralKind || answer.AsLiteral().Type() != types.StringType {
			s.fault("comparez « %s » à une réponse entre guillemets", q.ID)
			continue
		}
		id := answer.AsLiteral().Value().(string)
		if id != "" && !slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.ID == id }) {
			s.fault("« %s » n’est pas une réponse à « %s » (%s)", id, q.ID, choiceIDs(q.Choices))
		}
	}
}

// question finds a question by its id, and notes that the condition needs it.
func (s *shape) question(id string) (*Question, bool) {
	i, ok := s.index[id]
	switch {
	case !ok:
		s.fault("aucune question ne s’appelle « %s »", id)
	case i >= s.before:
		s.fault("la question « %s » n’est pas encore posée à cet endroit", id)
	default:
		s.needs |= maskOf(i)
		return &s.questions[i], true
	}
	return nil, false
}

func choiceIDs(choices []Choice) string {
	ids := make([]string, len(choices))
	for i, c := range choices {
		ids[i] = c.ID
	}
	return strings.Join(ids, ", ")
}
