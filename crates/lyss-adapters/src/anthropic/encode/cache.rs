//! Cache points, as in the page "Prompt caching": four at most, and those that live longer before the others.

use super::out::{Block, Body, Mark, Request, Tool};
use crate::conversation::{CacheLifetime, Loss};

const MAX_MARKS: usize = 4;

/// Keeps the last ones, since a later point holds what an earlier one does.
pub(super) fn limit(request: &mut Request<'_>, losses: &mut Vec<Loss>) {
    let mut count = 0_usize;
    each(request, &mut |_| count += 1);
    let mut surplus = count.saturating_sub(MAX_MARKS);
    let mut has_short = false;
    each(request, &mut |slot| {
        if surplus > 0 {
            surplus -= 1;
            losses.extend(slot.take().map(|mark| mark.loss));
            return;
        }
        let Some(mark) = slot else { return };
        match mark.lifetime {
            CacheLifetime::Short => has_short = true,
            CacheLifetime::Long if has_short => {
                mark.lifetime = CacheLifetime::Short;
                losses.push(mark.loss.clone());
            }
            CacheLifetime::Long => {}
        }
    });
}

/// Every mark there is, in the order of the prompt.
fn each(request: &mut Request<'_>, visit: &mut impl FnMut(&mut Option<Mark>)) {
    for tool in &mut request.tools {
        if let Tool::Function(function) = tool {
            filled(&mut function.cache_control, visit);
        }
    }
    blocks(&mut request.system, visit);
    for message in &mut request.messages {
        blocks(&mut message.content, visit);
    }
}

fn blocks(blocks_: &mut [Block<'_>], visit: &mut impl FnMut(&mut Option<Mark>)) {
    for block in blocks_ {
        if let Body::ToolResult { content, .. } = &mut block.body {
            blocks(content, visit);
        }
        filled(&mut block.cache_control, visit);
    }
}

fn filled(slot: &mut Option<Mark>, visit: &mut impl FnMut(&mut Option<Mark>)) {
    if slot.is_some() {
        visit(slot);
    }
}
