"""The command line: `petition …`."""

import sys

import typer

from nlp.errors import PetitionError
from serving.commands import audit, backup, classify, key, knowledge, purge, serve, triage, user
from serving.errors import Problem

app = typer.Typer(
    name="petition",
    help="信访事项研判：研判、批量、服务、账号、密钥、审计、知识、留存与备份。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, which may hold petition text
)
app.command("serve", help="启动服务与网页。首次启动会显示一次性管理员口令。")(serve.serve)
app.command("classify", help="研判一件：正文写在命令后，或用 --file、标准输入。")(classify.classify)
app.command("triage", help="研判一张表（CSV、XLSX、JSONL），结果写成另一张表；可中断后接着做。")(triage.triage)
app.command("purge", help="清除已办结的旧件或某一件的文本、原文、证据与备注；标注、决定、统计保留；清除留痕。")(
    purge.purge
)
app.add_typer(audit.app, name="audit")
app.add_typer(user.app, name="user")
app.add_typer(key.app, name="key")
app.add_typer(backup.app, name="backup")
app.add_typer(knowledge.app, name="knowledge")


def main() -> None:
    """Run the program; an expected error is one line on standard error and exit code 2."""
    try:
        app()
    except Problem as problem:
        sys.stderr.write(f"错误：{problem.detail}\n")
        sys.exit(2)
    except PetitionError as error:
        sys.stderr.write(f"错误：{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
