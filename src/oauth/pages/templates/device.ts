export const device = `
<% layout('@layout', { title: it.t('device.title') }) %>
<h1><%= it.t('device.title') %></h1>
<p class="lead" id="intro"><%= it.userCode ? it.t('device.prefilled') : it.t('device.intro') %></p>
<% if (it.problem) { %>
<p class="problem" role="alert" id="problem"><%= it.problem %></p>
<% } %>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="csrf" value="<%= it.csrf %>">
<label for="user_code"><%= it.t('device.code') %></label>
<input id="user_code" class="code" name="user_code" type="text" value="<%= it.userCode ?? '' %>" maxlength="32" placeholder="XXXX-XXXX" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus aria-describedby="<%= it.problem ? 'problem' : 'intro' %>" <%~ it.problem ? 'aria-invalid="true"' : '' %>>
<div class="actions">
<button type="submit"><%= it.t('device.submit') %></button>
</div>
</form>
<div class="foot">
<p><%= it.t('account.signed-in-as', { username: it.username }) %> · <a href="<%= it.signOut %>"><%= it.t('account.sign-out') %></a></p>
</div>
`;
