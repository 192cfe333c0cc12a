//! What a check of receipts can find, and what it can never show.

use crate::code_list;

code_list! {
    /// What is wrong with a bundle of receipts.
    FaultCode, "verification fault" {
        Form = "form", "署名文書の形式が正しくありません", "not a JWS in compact form and canonical base64url";
        Header = "header", "ヘッダーに余分な項目や重複があります", "the header has other members than alg, kid and typ";
        Algorithm = "alg", "署名方式がEdDSAではありません", "the algorithm is not EdDSA";
        Type = "typ", "文書の種別が異なります", "the statement is of another type";
        UnknownKey = "kid", "署名した鍵が鍵一覧にありません", "the key is not in the key set, or serves another purpose";
        Signature = "signature", "署名が正しくありません", "the signature is wrong";
        Payload = "payload", "内容が読めません", "the payload is not a JSON object without repeated members";
        KeyId = "key_id", "内容の鍵番号がヘッダーと異なります", "the key id in the payload differs from the header's";
        Claims = "claims", "受領証の項目が足りないか、形式が正しくありません", "a claim is missing or not in its form";
        Copy = "copy", "控えの区分が正しくありません", "a shared copy holds the sender's part, or a sender's copy is not of R0";
        CopyDiffers = "copy_differs", "差出機関の控えと共通の控えが一致しません", "the sender's copy differs from the shared copy of R0";
        Withheld = "withheld", "送らなかったはずの区分が送られています", "a section is named both as withheld and as sent";
        NoStart = "no_start", "R0（受付）がありません", "the first receipt, R0, is missing";
        Previous = "prev", "前の受領証につながりません", "a statement does not link back to R0: one between is missing or altered";
        Fork = "fork", "同じ受領証の後に二つの記録があります", "two statements follow the same one";
        NeverOpened = "never_opened", "「だれも開いていない」とする記録と、開封の受領証が並んでいます", "it is said that nobody was shown the content, and there is an R3";
        Responsible = "responsible", "移管の責任者が、当事者または状態と一致しません", "who is responsible for the family is not who it is in this state, or is left out";
        Level = "level", "同じ段階の受領証が二つあるか、順序が正しくありません", "a level stands twice, or without the level it needs before it";
        Sequence = "seq", "番号が抜けているか、戻っています", "the leg's numbers have a gap or go back";
        State = "state", "状態が前の記録の続きではありません", "the state before is not the state the last statement left";
        Transition = "transition", "許されない状態の変更です", "the change of state is not allowed";
        Link = "link", "同じ番号の記録の連鎖値が一致しません", "two statements with one number name different chain links";
        Parties = "parties", "途中で当事者またはハブが変わっています", "sender, recipient or hub changes within the leg";
        Time = "time", "時刻が前の記録より戻っています", "the time goes back";
        Manifest = "manifest", "目録の形式が正しくありません", "a manifest is not in its form, or not sorted";
        ManifestDiffers = "manifest_differs", "目録が受領証と一致しません", "no receipt of the leg names this manifest";
        ManifestSection = "manifest_section", "目録に送付区分以外の項目があります", "the manifest lists a field of a section the receipt does not name";
    }
}

code_list! {
    /// What sound receipts still do not show. A report always says it.
    NotProved, "limit of proof" {
        Understanding = "understanding", "人が内容を理解したこと", "that a person understood the content";
        Content = "content", "内容そのもの（文書とソルトがあれば別に確かめられる）", "the content itself (checkable apart, with the document and its salts)";
        Fields = "fields", "どの項目が送られたか（目録がない）", "which fields were sent (no manifest was given)";
        Withheld = "withheld", "何が送られなかったか（差出機関の控えがない）", "what was withheld (no sender's copy was given)";
        Opened = "opened", "人が開いたこと（R3がない）", "that a person opened it (there is no R3)";
        Reader = "reader", "開いた人の身元（相手機関の鍵による署名ではない）", "who opened it (not signed with the recipient's own key)";
        Answered = "answered", "相手が回答したこと（R4がない）", "that the recipient answered (there is no R4)";
        Later = "later", "最後の記録より後に何があったか", "what happened after the last statement given";
        Time = "time", "時刻の正しさ（ハブの時計による。第三者の確認はない）", "that the times are right (they are the hub's own; no witness was consulted)";
        History = "history", "ハブが別の履歴を他に示していないこと（チェックポイントの確認が要る）", "that the hub shows nobody another history (needs a witnessed checkpoint)";
    }
}
