package client_test

import (
	"context"
	"fmt"
	"os"

	"vigil"
	"vigil/client"
)

// The grave findings are listed, the worst first.
func ExampleClient_Findings() {
	ctx := context.Background()
	c, err := client.New(client.Config{URL: "https://vigil.example.com", Token: os.Getenv("VIGIL_TOKEN")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for f, err := range c.Findings(ctx, client.FindingFilter{Min: vigil.SeverityHigh}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.ID, f.Sentence)
	}
}

// A case is taken, unless somebody else has changed it since it was read.
func ExampleClient_Acknowledge() {
	ctx := context.Background()
	c, err := client.New(client.Config{URL: "https://vigil.example.com", Token: os.Getenv("VIGIL_TOKEN")})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := c.Case(ctx, "c-0123456789abcdef")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Acknowledge(ctx, client.On{Case: x.ID, Seen: x.Revision})
	if client.CodeOf(err) == client.CodeStale {
		fmt.Println("somebody else was here")
	}
}

// worst is the example of docs/api.md.
func worst(ctx context.Context) error {
	c, err := client.New(client.Config{URL: "https://vigil.example.com", Token: os.Getenv("VIGIL_TOKEN")})
	if err != nil {
		return err
	}
	for f, err := range c.Findings(ctx, client.FindingFilter{Min: vigil.SeverityHigh}) {
		if err != nil {
			return err
		}
		fmt.Println(f.ID, f.Sentence)
	}
	return nil
}
