package demarche

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// The YAML parser takes time that grows with the square of what it is given,
// and stack that grows with the depth: these bound both. A long démarche has
// some 2,500 signs that mean something to YAML, and a depth of 8.
const (
	maxSigns = 20_000
	maxDepth = 32
	signs    = "\n\r:,-?[]{}&*!|>%#'\""
)

// parse reads one YAML document. On error, line says where.
func parse(data []byte) (root ast.Node, line int, err error) {
	line = 1
	defer func() {
		// The parser is not ours, and a broken file must never stop a borne.
		if r := recover(); r != nil {
			root, err = nil, errors.New("YAML illisible")
		}
	}()
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if line, ok := tooManySigns(data); ok {
		return nil, line, fmt.Errorf("le fichier a plus de %d signes YAML", maxSigns)
	}
	tokens, line, err := tokenize(string(data))
	if err != nil {
		return nil, line, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		if t := syntax.GetToken(); t != nil {
			line = t.Position.Line
		}
		return nil, line, fmt.Errorf("YAML illisible (%s)", syntax.GetMessage())
	}
	if err != nil {
		return nil, line, fmt.Errorf("YAML illisible : %w", err)
	}
	for i, doc := range file.Docs {
		switch {
		case i == 0:
			root = doc.Body
		case doc.Body != nil:
			return nil, lineOf(doc.Body, line), errors.New("un seul document YAML par fichier")
		}
	}
	if root == nil {
		return nil, line, errors.New("le fichier est vide")
	}
	return root, line, nil
}

// tooManySigns returns the line of the first sign too many.
func tooManySigns(data []byte) (line int, ok bool) {
	n, line := 0, 1
	for _, c := range data {
		if strings.IndexByte(signs, c) >= 0 {
			n++
		}
		if n > maxSigns {
			return line, true
		}
		if c == '\n' {
			line++
		}
	}
	return 0, false
}

// tokenize refuses what could cost the parser too much, and what a démarche
// never needs: anchors, aliases, tags.
func tokenize(source string) (tokens token.Tokens, line int, err error) {
	var s scanner.Scanner
	s.Init(source)
	flow, nested, line := 0, 0, 1
	for {
		part, err := s.Scan()
		if err == io.EOF {
			return tokens, 1, nil
		}
		for _, t := range part {
			if t.Position.Line != line {
				line, nested = t.Position.Line, 0
			}
			switch t.Type {
			case token.SequenceStartType, token.MappingStartType:
				flow++
			case token.SequenceEndType, token.MappingEndType:
				flow--
			case token.SequenceEntryType, token.MappingKeyType:
				nested++
			case token.AnchorType, token.AliasType, token.MergeKeyType:
				return nil, line, errors.New("les ancres et les renvois YAML (&, *, <<) ne sont pas permis")
			case token.TagType, token.DirectiveType:
				return nil, line, errors.New("les étiquettes et les directives YAML (!, %) ne sont pas permises")
			}
			if flow+nested > maxDepth || t.Position.IndentNum > 4*maxDepth {
				return nil, line, errors.New("le fichier est trop imbriqué")
			}
		}
		tokens.Add(part...)
	}
}

// lineOf returns the line a node starts on, or fallback.
func lineOf(n ast.Node, fallback int) int {
	if n == nil {
		return fallback
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return fallback
}
