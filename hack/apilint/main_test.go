package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const (
		argueBool  = "- {linter: nobools, field: Outer.On, reason: the contract says so}\n"
		argueFloat = "- {linter: nofloats, field: Outer.Inner.Size, reason: the contract says so}\n"
	)
	tests := map[string]struct {
		exceptions string
		wantErr    string // empty: passes
		want       []string
		unwanted   []string
	}{
		"findings name type and field, of inner structs too": {
			exceptions: "[]",
			wantErr:    errFindings.Error(),
			want:       []string{"types.go:9:2: nobools: Outer.On: ", "nofloats: Outer.Inner.Size: ", "2 findings, 0 of them argued"},
			unwanted:   []string{"Sound", "Bookkeeping"},
		},
		"an argued finding is silent, the others are not": {
			exceptions: argueBool,
			wantErr:    errFindings.Error(),
			want:       []string{"nofloats: Outer.Inner.Size: "},
			unwanted:   []string{"nobools"},
		},
		"all argued": {
			exceptions: argueBool + argueFloat,
			want:       []string{"2 findings, 2 of them argued in 2 exceptions"},
		},
		"an exception that matches nothing": {
			exceptions: argueBool + argueFloat + "- {linter: nobools, field: Sound.Name, reason: the contract says so}\n",
			wantErr:    errFindings.Error(),
			want:       []string{"{linter: nobools, field: Sound.Name} matches no finding"},
		},
		"an exception without a reason": {
			exceptions: "- {linter: nobools, field: Outer.On, reason: ' '}\n",
			wantErr:    "gives no reason",
		},
		"an exception made twice": {
			exceptions: argueBool + argueBool,
			wantErr:    "is there twice",
		},
		"an exception with a misspelt key": {
			exceptions: "- {linter: nobools, feild: Outer.On, reason: why}\n",
			wantErr:    "unknown field",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "exceptions.yaml")
			if err := os.WriteFile(file, []byte(tt.exceptions), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := run([]string{"-exceptions", file, "./testdata/api"}, &out)
			if tt.wantErr == "" && err != nil {
				t.Errorf("got error %v, want none", err)
			}
			if tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("got error %v, want one with %q", err, tt.wantErr)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			for _, unwanted := range tt.unwanted {
				if strings.Contains(out.String(), unwanted) {
					t.Errorf("output has %q:\n%s", unwanted, out.String())
				}
			}
		})
	}
}

func TestRunNeedsPackagesThatCompile(t *testing.T) {
	var out strings.Builder
	err := run([]string{"./testdata/none"}, &out)
	if err == nil || errors.Is(err, errFindings) {
		t.Errorf("got error %v, want one about loading", err)
	}
}
