// Reads a compose file as `docker compose config` does, by the same library, and prints what it means as JSON.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv)
	if err == nil {
		var text []byte
		if project, failed := options.LoadProject(context.Background()); failed != nil {
			err = failed
		} else if text, err = project.MarshalJSON(); err == nil {
			os.Stdout.Write(text)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
