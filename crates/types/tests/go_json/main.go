// Command go_json writes vectors.tsv: what Go's encoding/json makes of the JSON
// texts on its standard input, one a line. Bytes outside printable ASCII, and
// percent signs, stand as %XX in both columns. GoQuorum is built with a Go
// before 1.22, so the vectors are too:
//
//	GOTOOLCHAIN=go1.21.13 go run main.go <cases.txt >vectors.tsv
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

func encode(raw []byte) string {
	var out strings.Builder
	for _, b := range raw {
		if b < 0x20 || b > 0x7e || b == '%' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := url.PathUnescape(lines.Text())
		if err != nil {
			panic(err)
		}
		var value interface{}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			fmt.Printf("%s\terror\n", lines.Text())
			continue
		}
		out, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\t%s\n", lines.Text(), encode(out))
	}
}
